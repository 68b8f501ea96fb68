/** A page of the simulated DOM with one React root, and a replica behind it. */
import { act, createElement, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { memory } from '../../drivers/storage-memory.js';
import { systemClock } from '../../drivers/system-clock.js';
import { memoryTransport } from '../../drivers/transport-memory.js';
import { openReplica } from '../../host/open-replica.js';
import type { Replica } from '../../host/replica.js';
import type { Space } from '../../host/space.js';
import { TestServer } from '../../host/testing/test-server.js';
import { shelfApp as app } from '../../replica/testing/shelf-app.js';

export type Shelves = typeof app;
export type ShelfSpace = Space<Shelves>;

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

export function openShelves(server = new TestServer(app)): Promise<Replica<Shelves>> {
  return openReplica({
    app, dev: true, offline: true,
    storage: memory(),
    sync: [memoryTransport({ clock: systemClock, accept: server.accept })],
    onReport: (error) => { throw error; },
  });
}

export interface Page {
  readonly text: () => string;
  show(element: ReactNode): Promise<void>;
  unmount(): Promise<void>;
}

export function newPage(): Page {
  const element = document.createElement('div');
  const root = createRoot(element, { onCaughtError: () => undefined });
  return {
    text: () => element.textContent ?? '',
    show: (node) => act(async () => root.render(node)),
    unmount: () => act(async () => root.unmount()),
  };
}

/** Lets what was done reach the page. */
export const settled = (task: () => unknown = () => undefined): Promise<void> =>
  act(async () => { await task(); });

/** A component that shows what `use` gives, and counts how often it rendered. */
export function probe<P extends object>(use: (props: P) => unknown) {
  const seen: unknown[] = [];
  const Probe = (props: P): ReactNode => {
    const value = use(props);
    seen.push(value);
    return JSON.stringify(value) ?? 'undefined';
  };
  return { seen, element: (props: P): ReactNode => createElement(Probe, props) };
}

export const item = (id: string, shelf = 'a') => ({ id, shelf, rank: 1 });

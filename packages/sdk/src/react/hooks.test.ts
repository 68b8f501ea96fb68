// @vitest-environment happy-dom
import { Component, createElement, StrictMode, Suspense, type ReactNode } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Receipt } from '../host/receipt.js';
import type { Replica } from '../host/replica.js';
import { TestServer } from '../host/testing/test-server.js';
import { shelfApp } from '../replica/testing/shelf-app.js';
import { useConflicts, useHealth, usePending, useReceipt, useSpace } from './index.js';
import { item, newPage, openShelves, probe, settled, type Shelves, type ShelfSpace } from './testing/page.js';

let server: TestServer;
let replica: Replica<Shelves>;
let space: ShelfSpace;

beforeEach(async () => {
  server = new TestServer(shelfApp);
  replica = await openShelves(server);
  space = await replica.open('room');
});
afterEach(async () => {
  vi.useRealTimers();
  await replica.close();
});

const place = (id: string) => ({ ...item(id), orElse: [], insist: false });
const committed = (...receipts: Receipt[]) => settled(async () => {
  replica.goOnline();
  await Promise.all(receipts.map((receipt) => receipt.until('committed')));
});

describe('useReceipt', () => {
  it('follows stage and outcome, and is undefined before there is a receipt', async () => {
    const { seen, element } = probe(({ of }: { of: Receipt | undefined }) => useReceipt(of));
    const page = newPage();
    await page.show(element({ of: undefined }));
    expect(page.text()).toBe('undefined');
    const receipt = space.mutate.put(item('x'));
    const strict = () => createElement(StrictMode, null, element({ of: receipt }));
    await page.show(strict());
    await settled(() => receipt.until('saved'));
    expect(JSON.parse(page.text())).toMatchObject({ stage: 'saved', outcome: { kind: 'applied' } });
    const before = seen.at(-1);
    await page.show(strict());
    expect(seen.at(-1)).toBe(before);
    await committed(receipt);
    expect(JSON.parse(page.text())).toMatchObject({ stage: 'committed' });
    await page.unmount();
  });
});

describe('usePending and useConflicts', () => {
  it('show what waits and what did not go as asked, the same array until it changes', async () => {
    const { seen, element } = probe(() => {
      const [pending, conflicts] = [usePending(space), useConflicts(space)];
      return { pending: pending.map(({ name }) => name), conflicts: conflicts.map(({ name }) => name) };
    });
    const arrays = probe(() => usePending(space));
    const page = newPage();
    await page.show(element({}));
    expect(page.text()).toBe('{"pending":[],"conflicts":[]}');
    // Two of others fill the shelf before ours arrive.
    const other = await openShelves(server);
    const there = await other.open('room');
    other.goOnline();
    for (const id of ['o1', 'o2']) await there.mutate.place(place(id)).until('committed');
    await other.close();
    const receipts: Receipt[] = [];
    await settled(() => { receipts.push(space.mutate.place(place('x'))); });
    expect(page.text()).toBe('{"pending":["place"],"conflicts":[]}');
    await committed(...receipts);
    expect(page.text()).toBe('{"pending":[],"conflicts":["place"]}');
    await settled(() => space.conflicts[0]?.dismiss());
    expect(page.text()).toBe('{"pending":[],"conflicts":[]}');
    expect(seen.length).toBeGreaterThan(3);
    await page.show(arrays.element({}));
    await page.show(arrays.element({}));
    expect(new Set(arrays.seen).size).toBe(1);
    await page.unmount();
  });

  it('shows each stage that a receipt in the list comes to', async () => {
    const { element } = probe(() => usePending(space).map(({ receipt }) => receipt?.stage));
    const page = newPage();
    await page.show(element({}));
    await settled(() => space.mutate.put(item('x')).until('saved'));
    expect(page.text()).toBe('["saved"]');
    await page.unmount();
  });
});

describe('useHealth', () => {
  it('tells links and progress of a space', async () => {
    const { element } = probe(() => useHealth(space));
    const page = newPage();
    await page.show(element({}));
    expect(JSON.parse(page.text())).toMatchObject({ online: false, pending: 0, storage: { status: 'ok' } });
    let receipt: Receipt | undefined;
    await settled(() => { receipt = space.mutate.put(item('x')); });
    expect(JSON.parse(page.text())).toMatchObject({ pending: 1, stalled: { code: 'offline' } });
    if (receipt !== undefined) await committed(receipt);
    expect(JSON.parse(page.text())).toMatchObject({ online: true, pending: 0, csn: 1, behind: 0 });
    await page.unmount();
  });

  it('lets an age grow by the second, and renders nobody who does not show it', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
    space.mutate.put(item('x'));
    const aged = probe(() => useHealth(space, (health) => health.oldestPendingMs));
    const ageless = probe(() => useHealth(space, ({ stalled }) => stalled?.code));
    const page = newPage();
    await page.show([
      createElement(Suspense, { key: 1 }, aged.element({})), ' ',
      createElement(Suspense, { key: 2 }, ageless.element({})),
    ]);
    await settled();
    const [before, renders] = [aged.seen.length, ageless.seen.length];
    await settled(() => vi.advanceTimersByTime(3_000));
    expect(aged.seen.at(-1)).toBeGreaterThanOrEqual(3_000);
    expect(aged.seen.length).toBeGreaterThan(before);
    expect(ageless.seen.length).toBe(renders);
    await page.unmount();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('takes a selection that is another object each time for the same while it reads the same', async () => {
    const { seen, element } = probe(() => useHealth(replica, ({ storage }) => ({ kind: storage.kind })));
    const page = newPage();
    await page.show(element({}));
    await page.show(element({}));
    expect(seen.at(-1)).toEqual({ kind: 'memory' });
    expect(new Set(seen).size).toBe(1);
    await page.unmount();
  });
});

class Boundary extends Component<{ children: ReactNode }, { failed: string | undefined }> {
  override state = { failed: undefined };
  static getDerivedStateFromError = (error: Error) => ({ failed: error.message });
  override render = (): ReactNode => this.state.failed ?? this.props.children;
}

describe('useSpace', () => {
  it('suspends until replica and space are open, and opens the space once', async () => {
    const opened = vi.spyOn(replica, 'open');
    let open: () => void = () => undefined;
    const opening = new Promise<Replica<Shelves>>((resolve) => { open = () => resolve(replica); });
    const { element } = probe(() => useSpace(opening, 'other').id);
    const page = newPage();
    const all = [element({}), element({})].map((one, key) => createElement('p', { key }, one));
    await page.show(createElement(StrictMode, null, createElement(Suspense, { fallback: 'opening' }, all)));
    expect(page.text()).toBe('opening');
    await settled(open);
    expect(page.text()).toBe('"other""other"');
    expect(opened).toHaveBeenCalledTimes(1);
    await page.unmount();
  });

  it('hands a refusal to the error boundary', async () => {
    const { element } = probe(() => useSpace(replica, 'no good name').id);
    const page = newPage();
    await page.show(createElement(Boundary, null, createElement(Suspense, { fallback: 'opening' }, element({}))));
    expect(page.text()).toContain('cannot name a space');
    await page.unmount();
  });

  it('renders the fallback on a server, where no replica is', () => {
    const { element } = probe(() => useSpace<Shelves>(undefined, 'room')?.id ?? 'none');
    expect(renderToString(element({}))).toContain('none');
  });
});

describe('all of them on a server', () => {
  it('render without a page', () => {
    const receipt = space.mutate.put(item('x'));
    const { element } = probe(() => [
      usePending(space).length, useConflicts(space).length, useReceipt(receipt).stage,
      useHealth(space, ({ pending }) => pending), usePending(undefined).length,
    ]);
    expect(renderToString(element({}))).toContain('[1,0,&quot;local&quot;,1,0]');
  });
});

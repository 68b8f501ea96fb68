/**
 * A newer build of the page: noticed, offered, taken over. Reloading by itself would throw away a
 * form that someone is filling in; never reloading leaves an installed app old for weeks. So it
 * is offered while someone looks, and done while nobody does. What is booked lies in the replica's
 * store, and a form in unfinished.ts: neither is lost in either case.
 */
import { Workbox } from 'workbox-window';
import type { Store } from '../session/session.js';

export type Update = 'none' | 'ready' | 'taken-elsewhere';

export interface PageUpdate extends Store<Update> {
  /** Loads the newer build in place of this one. */
  takeOver(): void;
}

const CHECK_EVERY_MS = 30 * 60_000;

const NEVER: PageUpdate = {
  get: () => 'none',
  subscribe: () => () => undefined,
  takeOver: () => undefined,
};

class WorkerUpdate implements PageUpdate {
  readonly #workbox = new Workbox('page-worker.js');
  readonly #listeners = new Set<() => void>();
  #update: Update = 'none';
  #isAsked = false;

  get = (): Update => this.#update;

  subscribe = (fn: () => void): (() => void) => {
    this.#listeners.add(fn);
    return () => void this.#listeners.delete(fn);
  };

  takeOver = (): void => {
    if (this.#update === 'taken-elsewhere') location.reload();
    this.#isAsked = true;
    this.#workbox.messageSkipWaiting();
  };

  async start(): Promise<void> {
    const hadWorker = navigator.serviceWorker.controller !== null;
    this.#workbox.addEventListener('waiting', () => this.#set('ready'));
    navigator.serviceWorker.addEventListener('controllerchange', () => {
      if (this.#isAsked) location.reload();
      // Another tab took the newer build. The very first worker is no newer build.
      else if (hadWorker) this.#set('taken-elsewhere');
    });
    await this.#workbox.register();
    const look = (): void => {
      // Without a connection there is nothing newer to be had: it is asked again.
      if (navigator.onLine) this.#workbox.update().catch(() => undefined);
    };
    setInterval(look, CHECK_EVERY_MS);
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') look();
    });
  }

  #set(update: Update): void {
    this.#update = update;
    this.#listeners.forEach((fn) => fn());
  }
}

/** Keeps the page and watches for a newer one. Not while developing: files change all the time. */
export function keepPage(): PageUpdate {
  if (import.meta.hot !== undefined || !('serviceWorker' in navigator)) return NEVER;
  const update = new WorkerUpdate();
  update.start().catch((error: unknown) => {
    // eslint-disable-next-line no-console -- reason: it concerns whoever serves the page.
    console.warn('Without a connection this page cannot be loaded again:', error);
  });
  return update;
}

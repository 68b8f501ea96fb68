/**
 * What tabs of one browser profile have in common besides the store: locks that go free when their
 * holder dies, and a channel on which each hears all others. `Web Locks` and `BroadcastChannel` are
 * in every browser, workers included; a SharedWorker is not.
 */

export interface LockEvents {
  held(): void;
  /** Only of `at-once`: another one has it. */
  taken(): void;
  /** Another one has taken it from us by force; or the page may hold none (an opaque origin). */
  lost(): void;
}

/** At once or not at all; as soon as its holder lets go of it; or from its holder, by force. */
export type LockHow = 'at-once' | 'queue' | 'steal';

export interface TabChannel {
  /** Plain data, to all others on the channel, in order. */
  post(message: unknown): void;
  close(): void;
}

export interface TabDriver {
  /**
   * Events come later, never in this turn. Returns the way to let go of the lock, or to leave the
   * queue for it; no event comes after that.
   */
  lock(name: string, how: LockHow, events: LockEvents): () => void;
  channel(name: string, received: (message: unknown) => void): TabChannel;
}

/** Undefined where the platform lacks one of the two: old Node, pages that are not secure. */
export function webTabs(): TabDriver | undefined {
  const locks = typeof navigator === 'undefined' ? undefined : navigator.locks;
  if (locks === undefined || typeof BroadcastChannel === 'undefined') return undefined;
  return { lock: (name, how, events) => lock(locks, { name, how, events }), channel };
}

interface Wish {
  readonly name: string;
  readonly how: LockHow;
  readonly events: LockEvents;
}

function lock(locks: LockManager, { name, how, events }: Wish): () => void {
  const abort = new AbortController();
  let isOver = false;
  let release: (() => void) | undefined;
  const later = (event: () => void): void => queueMicrotask(() => { if (!isOver) event(); });
  const granted = (held: Lock | null): Promise<void> | undefined => {
    if (isOver) return undefined;
    if (held === null) {
      later(() => events.taken());
      return undefined;
    }
    later(() => events.held());
    // The lock is held until this promise settles.
    return new Promise((resolve) => { release = resolve; });
  };
  // Rejects when the lock is stolen, and when the queue is left.
  locks.request(name, optionsOf(how, abort.signal), granted)
    .catch(() => later(() => events.lost()));
  return () => {
    isOver = true;
    release?.();
    abort.abort();
  };
}

function optionsOf(how: LockHow, signal: AbortSignal): LockOptions {
  switch (how) {
    case 'at-once': return { ifAvailable: true };
    case 'queue': return { signal };
    case 'steal': return { steal: true };
  }
}

function channel(name: string, received: (message: unknown) => void): TabChannel {
  const line = new BroadcastChannel(name);
  line.onmessage = ({ data }) => received(data);
  return {
    post: (message) => line.postMessage(message),
    close: () => line.close(),
  };
}

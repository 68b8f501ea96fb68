/**
 * A name that one holder has at a time: two replicas on one store would give two updates the same
 * id. Web Locks hold it across tabs and workers of an origin and let go when a tab dies; where they
 * are missing (Node, old browsers) the name is held within this JavaScript realm only.
 */

export interface HeldName {
  release(): void;
}

/** `taken` comes only when not waiting. One of the two is called, once, in a later turn. */
export interface NameEvents {
  held(name: HeldName): void;
  taken(): void;
}

/**
 * Alone, at once or not at all; alone, as soon as it can be; or at once beside others that share
 * it, too.
 */
export type HowToHold = 'at-once' | 'wait' | 'shared';

export function holdName(name: string, how: HowToHold, events: NameEvents): void {
  const locks = typeof navigator === 'undefined' ? undefined : navigator.locks;
  if (locks === undefined) {
    holdInRealm(name, how, events);
    return;
  }
  let isAnswered = false;
  const answer = (lock: Lock | null): Promise<void> | undefined => {
    isAnswered = true;
    if (lock === null) {
      queueMicrotask(() => events.taken());
      return undefined;
    }
    // The lock is held until this promise settles.
    return new Promise((release) => {
      queueMicrotask(() => events.held({ release }));
    });
  };
  locks.request(name, LOCK_OPTIONS[how], answer).catch(() => {
    // SecurityError of an opaque origin: nobody else can share its storage either.
    if (!isAnswered) holdInRealm(name, how, events);
  });
}

const LOCK_OPTIONS: Readonly<Record<HowToHold, LockOptions>> = {
  'at-once': { ifAvailable: true },
  'wait': {},
  'shared': { ifAvailable: true, mode: 'shared' },
};

const waitersByName = new Map<string, NameEvents[]>();

function holdInRealm(name: string, how: HowToHold, events: NameEvents): void {
  const waiters = waitersByName.get(name);
  if (how === 'shared') {
    // Tabs that share are of browsers that have locks.
    queueMicrotask(() => events.held({ release: () => undefined }));
  } else if (waiters === undefined) {
    waitersByName.set(name, []);
    queueMicrotask(() => events.held(heldInRealm(name)));
  } else if (how === 'wait') {
    waiters.push(events);
  } else {
    queueMicrotask(() => events.taken());
  }
}

function heldInRealm(name: string): HeldName {
  let isHeld = true;
  return {
    release: () => {
      if (!isHeld) return;
      isHeld = false;
      const next = waitersByName.get(name)?.shift();
      if (next === undefined) waitersByName.delete(name);
      else queueMicrotask(() => next.held(heldInRealm(name)));
    },
  };
}

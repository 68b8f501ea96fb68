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

export function holdName(name: string, wait: boolean, events: NameEvents): void {
  const locks = typeof navigator === 'undefined' ? undefined : navigator.locks;
  if (locks === undefined) {
    holdInRealm(name, wait, events);
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
  locks.request(name, wait ? {} : { ifAvailable: true }, answer).catch(() => {
    // SecurityError of an opaque origin: nobody else can share its storage either.
    if (!isAnswered) holdInRealm(name, wait, events);
  });
}

const waitersByName = new Map<string, NameEvents[]>();

function holdInRealm(name: string, wait: boolean, events: NameEvents): void {
  const waiters = waitersByName.get(name);
  if (waiters === undefined) {
    waitersByName.set(name, []);
    queueMicrotask(() => events.held(heldInRealm(name)));
  } else if (wait) {
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

/**
 * The locks and the channel of one imagined browser profile, in one process. Each tab has its own
 * driver, which the test may let die: its locks go free, nothing more comes to it or from it.
 */
import type { LockEvents, LockHow, TabChannel, TabDriver } from '../tab-driver.js';

interface Claim {
  readonly tab: MemoryTab;
  readonly events: LockEvents;
}

interface Ear {
  readonly tab: MemoryTab;
  readonly name: string;
  readonly received: (message: unknown) => void;
}

export class MemoryTabs {
  readonly #holders = new Map<string, Claim>();
  readonly #queues = new Map<string, Claim[]>();
  readonly #ears = new Set<Ear>();

  /** `deliver`: runs what comes to the tab, in order, in a later turn of it. */
  tab(deliver: (task: () => void) => void): MemoryTab {
    return new MemoryTab(this, deliver);
  }

  request(tab: MemoryTab, name: string, how: LockHow, events: LockEvents): () => void {
    const claim: Claim = { tab, events };
    const holder = this.#holders.get(name);
    if (holder === undefined) this.#grant(name, claim);
    else if (how === 'at-once') tab.deliver(() => events.taken());
    else if (how === 'steal') {
      holder.tab.deliver(() => holder.events.lost());
      this.#grant(name, claim);
    } else {
      this.#queues.set(name, [...this.#queues.get(name) ?? [], claim]);
    }
    return () => this.#release(name, claim);
  }

  listen(ear: Ear): () => void {
    this.#ears.add(ear);
    return () => this.#ears.delete(ear);
  }

  post(tab: MemoryTab, name: string, message: unknown): void {
    const text = JSON.stringify(message);
    for (const ear of this.#ears) {
      if (ear.tab === tab || ear.name !== name) continue;
      ear.tab.deliver(() => { if (this.#ears.has(ear)) ear.received(JSON.parse(text)); });
    }
  }

  /** Nothing of it is left: as when a browser's process dies. */
  gone(tab: MemoryTab): void {
    for (const ear of this.#ears) if (ear.tab === tab) this.#ears.delete(ear);
    for (const [name, queue] of this.#queues) {
      this.#queues.set(name, queue.filter((claim) => claim.tab !== tab));
    }
    for (const [name, holder] of [...this.#holders]) if (holder.tab === tab) this.#release(name, holder);
  }

  #grant(name: string, claim: Claim): void {
    this.#holders.set(name, claim);
    claim.tab.deliver(() => { if (this.#holders.get(name) === claim) claim.events.held(); });
  }

  #release(name: string, claim: Claim): void {
    this.#queues.set(name, (this.#queues.get(name) ?? []).filter((other) => other !== claim));
    if (this.#holders.get(name) !== claim) return;
    this.#holders.delete(name);
    const [next, ...others] = this.#queues.get(name) ?? [];
    this.#queues.set(name, others);
    if (next !== undefined) this.#grant(name, next);
  }
}

export class MemoryTab implements TabDriver {
  readonly #tabs: MemoryTabs;
  readonly deliver: (task: () => void) => void;

  constructor(tabs: MemoryTabs, deliver: (task: () => void) => void) {
    this.#tabs = tabs;
    this.deliver = deliver;
  }

  lock(name: string, how: LockHow, events: LockEvents): () => void {
    return this.#tabs.request(this, name, how, events);
  }

  channel(name: string, received: (message: unknown) => void): TabChannel {
    const stop = this.#tabs.listen({ tab: this, name, received });
    return { post: (message) => this.#tabs.post(this, name, message), close: stop };
  }

  die(): void {
    this.#tabs.gone(this);
  }
}

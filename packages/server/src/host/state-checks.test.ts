import { describe, expect, test } from 'vitest';
import { encodeBatch, type OxbowError } from '@oxbow/sdk/protocol';
import { MemoryDisk, MemoryStore } from '../drivers/testing/memory-store.js';
import type { MemberId } from '../paxos/ballot.js';
import { checkLimits } from '../space/limits.js';
import { entry, put, space } from '../space/testing/store-calls.js';
import { StateChecks } from './state-checks.js';

const IDS = ['a.1', 'b.1', 'c.1'] as MemberId[];
const [A] = IDS as [MemberId];

/**
 * Three nodes on one log that chooses whatever is proposed; their stores answer in their own time.
 */
class Three {
  readonly diverged: string[] = [];
  readonly events: string[] = [];
  readonly #nodes = new Map<MemberId, { checks: StateChecks; store: MemoryStore; disk: MemoryDisk }>();
  #tasks: (() => void)[] = [];
  #slot = 0;
  now = 0;

  constructor() {
    for (const self of IDS) {
      const disk = new MemoryDisk({ history: 'K1' });
      const store = new MemoryStore(disk, (task) => this.#tasks.push(task));
      const checks = new StateChecks({
        self, store,
        logger: { log: (level, event) => level === 'error' && this.events.push(`${self} ${event}`) },
        now: () => this.now,
        propose: (payload) => this.choose(payload),
        send: (to, frame) => this.#tasks.push(() => this.#nodes.get(to)?.checks.frame(self, frame)),
        diverged: (error: OxbowError) => this.diverged.push(`${self} ${error.code}`),
      });
      this.#nodes.set(self, { checks, store, disk });
      checks.configured({
        number: 0, fromSlot: 1, learners: [],
        voters: IDS.map((id) => ({ id, name: id, peerAddress: 'p', clientUrl: 'c' })),
      });
      checks.led(A);
    }
  }

  choose(payload: Uint8Array): void {
    const slot = ++this.#slot;
    for (const { checks, store } of this.#nodes.values()) {
      const seen = checks.seen(slot, payload);
      store.apply(slot, seen === undefined ? [] : [this.#batch(slot)], () => undefined);
    }
  }

  write(): void {
    this.choose(Buffer.from(encodeBatch([])));
  }

  #csn = 0;
  #batchSlot = 0;
  #batch(slot: number) {
    if (this.#batchSlot !== slot) this.#csn += 1;
    this.#batchSlot = slot;
    return { space: space('team'), entries: [entry(this.#csn, { effects: [put('k', { slot })] })] };
  }

  disk(id: MemberId): MemoryDisk {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node.disk;
  }

  run(): void {
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) task();
  }

  check(): void {
    this.now += checkLimits.everyMs;
    for (const { checks } of this.#nodes.values()) checks.tick();
  }
}

describe('states of three nodes', () => {
  test('equal ones are left alone, although each is looked at while writes go on', () => {
    const three = new Three();
    for (let n = 0; n < 5; n++) three.write();
    three.check();
    for (let n = 0; n < 5; n++) three.write();
    three.run();
    expect(three.diverged).toEqual([]);
    expect(three.events).toEqual([]);
  });

  test('the one that differs by one row is found, and only that', () => {
    const three = new Three();
    for (let n = 0; n < 5; n++) three.write();
    three.run();
    const [, , C] = IDS as [MemberId, MemberId, MemberId];
    const { records } = three.disk(C);
    const other = new MemoryDisk({ history: 'K1' });
    for (let slot = 1; slot <= 5; slot++) {
      const effects = [put('k', { slot: slot === 5 ? 99 : slot })];
      other.apply(slot, [{ space: space('team'), entries: [entry(slot, { effects })] }]);
    }
    records.write([...other.records.range(Buffer.alloc(0), Buffer.from([255]))]
      .map(({ key, value }) => [key.toString('latin1'), value] as const));
    three.check();
    three.write();
    three.run();
    expect(three.diverged).toEqual(['c.1 state-diverged']);
  });

  test('one that cannot be read is found, too', () => {
    const three = new Three();
    three.write();
    three.run();
    const [, B] = IDS as [MemberId, MemberId];
    three.disk(B).records.damage(0.5);
    three.check();
    three.run();
    expect(three.diverged).toEqual(['b.1 state-diverged']);
  });
});

/** What every state store keeps when its state travels. Called like `stateStoreLaws`. */
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StateStore } from '../state-store.js';
import type { ImportHead, StateExport, StateImport } from '../state-transfer.js';
import type { LawOptions, StoreUnderTest } from './state-store-laws.js';
import { apply, close, entry, gone, mustLoad, opened, put, sorted, space } from './store-calls.js';

const SPACE = space('team-1');
const OTHER = space('team-2');
const BOUNDS = { keptEntriesMax: 5, keptCharsMax: 100_000 };

export function stateTransferLaws(
  name: string, make: (options: LawOptions) => StoreUnderTest,
): void {
  describe(`${name}: travel`, () => {
    let from: StoreUnderTest;
    let to: StoreUnderTest;
    let source: StateStore;
    let target: StateStore;
    beforeEach(() => {
      from = make(BOUNDS);
      to = make(BOUNDS);
      source = from.open();
      target = to.open();
    });
    afterEach(async () => {
      await close(source);
      await close(target);
      from.destroy();
      to.destroy();
    });

    const fill = async (store: StateStore, slots: number, after = 0): Promise<void> => {
      for (let n = after + 1; n <= slots; n++) {
        const effects = [put(`k${n % 7}`, { n }), put(`only${n}`, { text: 'x'.repeat(n) })];
        if (n > 3) effects.push(gone(`only${n - 3}`));
        await apply(store, n, [
          { space: SPACE, entries: [entry(n, { effects })] },
          { space: OTHER, entries: [entry(n, { replica: `r${n % 3}` })] },
        ]);
      }
    };

    test('a bound store serves its cluster only, before and after reopening', async () => {
      expect((await opened(source)).isBound).toBe(false);
      await bind(source, 'c1');
      expect(await opened(source)).toMatchObject({ history: 'c1', isBound: true, appliedSlot: 0 });
      await bind(source, 'c1');
      await expect(bind(source, 'c2')).rejects.toMatchObject({ code: 'store-foreign' });
      await fill(source, 2);
      await close(source);
      source = from.open();
      expect(await opened(source)).toMatchObject({ history: 'c1', isBound: true, appliedSlot: 2 });
      await expect(bind(source, 'c2')).rejects.toMatchObject({ code: 'store-foreign' });
    });

    test('a state taken in is the one given out, digest and all, also after reopening', async () => {
      await bind(source, 'c1');
      await fill(source, 12);
      const picture = await exported(source);
      expect(picture.head).toMatchObject({ slot: 12, cluster: 'c1' });
      await fill(source, 14, 12);
      const given = await digest(picture);
      await copy(picture, await importing(target, { slot: 12, cluster: 'c1', base: '{"b":1}' }), 100);
      picture.close();
      const place = { appliedSlot: 12, history: 'c1', isBound: true, base: '{"b":1}' };
      expect(await opened(target)).toEqual(place);
      expect(await digestNow(target)).toBe(given);
      await close(target);
      target = to.open();
      expect(await opened(target)).toEqual(place);
      expect(await digestNow(target)).toBe(given);
      await fill(target, 14, 12);
      expect(await digestNow(target)).toBe(await digestNow(source));
      expect(sorted(await mustLoad(target, SPACE))).toEqual(sorted(await mustLoad(source, SPACE)));
      expect(sorted(await mustLoad(target, OTHER))).toEqual(sorted(await mustLoad(source, OTHER)));
    });

    test('a picture stays as it was, read twice and from any cursor, while the store goes on', async () => {
      await fill(source, 9);
      const picture = await exported(source);
      const before = await chunks(picture, 60);
      await fill(source, 20, 9);
      expect(await chunks(picture, 60)).toEqual(before);
      expect(before.length).toBeGreaterThan(5);
      const middle = before[3];
      const rest = await chunks(picture, 60, middle?.next);
      expect(rest).toEqual(before.slice(4));
      const whole = await chunks(picture, 1e9);
      expect(whole).toHaveLength(1);
      expect(whole[0]?.bytes).toEqual(Buffer.concat(before.map(({ bytes }) => bytes)));
      picture.close();
      picture.close();
    });

    test('the digest is of the state, however its slots were gathered and in one store or another', async () => {
      const batches = (n: number) => [{ space: SPACE, entries: [entry(n, { effects: [put('a', { n })] })] }];
      for (let n = 1; n <= 9; n++) await apply(source, n, batches(n));
      await Promise.all([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => apply(target, n, batches(n))));
      expect(await digestNow(target)).toBe(await digestNow(source));
      await apply(source, 10, batches(10));
      expect(await digestNow(target)).not.toBe(await digestNow(source));
    });

    test('a picture at a slot holds exactly that slot, though slots are written together', async () => {
      await fill(target, 6);
      const wanted = await digestNow(target);
      const first = at(source, 6);
      const all = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => one(source, n));
      await Promise.all(all);
      const picture = await first;
      expect(picture.head.slot).toBe(6);
      expect(await digest(picture)).toBe(wanted);
      picture.close();
      expect((await at(source, 9)).head.slot).toBe(9);
      await expect(at(source, 8)).rejects.toMatchObject({ code: 'slot-passed' });
    });

    const one = (store: StateStore, n: number): Promise<void> => {
      const effects = [put(`k${n % 7}`, { n }), put(`only${n}`, { text: 'x'.repeat(n) })];
      if (n > 3) effects.push(gone(`only${n - 3}`));
      return apply(store, n, [
        { space: SPACE, entries: [entry(n, { effects })] },
        { space: OTHER, entries: [entry(n, { replica: `r${n % 3}` })] },
      ]);
    };

    test('a picture at a slot that changes nothing is taken before the next one', async () => {
      const picture = at(source, 5);
      await fill(source, 4);
      await apply(source, 6, [{ space: SPACE, entries: [entry(5)] }]);
      await fill(target, 4);
      expect(await digest(await picture)).toBe(await digestNow(target));
    });

    test('a damaged, short, swapped or foreign chunk is refused and the present state stays', async () => {
      await fill(source, 9);
      await fill(target, 3);
      const before = await digestNow(target);
      const picture = await exported(source);
      const sent = await chunks(picture, 80);
      const { history } = await opened(source);
      const start = () => importing(target, { slot: 9, cluster: history, base: undefined });
      const first = Buffer.from(sent[0]?.bytes ?? []);
      for (let at = 0; at < first.length; at += 3) {
        const bad = Buffer.from(first);
        bad[at] = (bad[at] ?? 0) ^ 4;
        await expect(written(await start(), bad)).rejects.toMatchObject({ code: 'bad-snapshot' });
      }
      await expect(written(await start(), first.subarray(0, -1))).rejects.toMatchObject({ code: 'bad-snapshot' });
      const swapped = await start();
      await written(swapped, sent[1]?.bytes ?? first);
      await expect(written(swapped, first)).rejects.toMatchObject({ code: 'bad-snapshot' });
      const short = await start();
      await written(short, first);
      await expect(finished(short, await digest(picture))).rejects.toMatchObject({ code: 'bad-snapshot' });
      expect(await digestNow(target)).toBe(before);
      expect((await opened(target)).appliedSlot).toBe(3);
      picture.close();
    });

    test('a state is never set back, and none of another cluster is taken in', async () => {
      await bind(target, 'c1');
      await fill(target, 5);
      const head = { cluster: 'c1', base: undefined };
      await expect(importing(target, { ...head, slot: 4 })).rejects.toMatchObject({ code: 'snapshot-outdated' });
      await expect(importing(target, { slot: 9, cluster: 'c2', base: undefined }))
        .rejects.toMatchObject({ code: 'store-foreign' });
      await fill(source, 6);
      const picture = await exported(source);
      const taking = await importing(target, { ...head, slot: 6 });
      for (const { bytes } of await chunks(picture, 1_000)) await written(taking, bytes);
      await fill(target, 8, 5);
      await expect(finished(taking, await digest(picture))).rejects.toMatchObject({ code: 'snapshot-outdated' });
      expect((await opened(target)).appliedSlot).toBe(8);
      picture.close();
    });

    test('a slot that a state taken in meanwhile holds changes nothing', async () => {
      await fill(source, 6);
      await fill(target, 4);
      const picture = await exported(source);
      const given = await digest(picture);
      await copy(picture, await importing(target, { slot: 6, cluster: 'c1', base: undefined }), 100);
      picture.close();
      await fill(target, 6, 4);
      expect(await digestNow(target)).toBe(given);
      await fill(source, 8, 6);
      await fill(target, 8, 6);
      expect(await digestNow(target)).toBe(await digestNow(source));
    });

    test('two imports in quick succession: the older is given up, the newer counts', async () => {
      await fill(source, 6);
      const picture = await exported(source);
      const head: ImportHead = { slot: 6, cluster: 'c1', base: undefined };
      const older = await importing(target, head);
      const [bytes] = (await chunks(picture, 1e9)).map((chunk) => chunk.bytes);
      await written(older, bytes ?? Buffer.alloc(0));
      const newer = await importing(target, head);
      await expect(finished(older, await digest(picture))).rejects.toMatchObject({ code: 'snapshot-given-up' });
      await copy(picture, newer, 50);
      expect(await digestNow(target)).toBe(await digest(picture));
      picture.close();
    });

    test('an import that is aborted leaves nothing behind', async () => {
      await fill(source, 6);
      const picture = await exported(source);
      const taking = await importing(target, { slot: 6, cluster: 'c1', base: undefined });
      await written(taking, (await chunks(picture, 100))[0]?.bytes ?? Buffer.alloc(0));
      await new Promise<void>((done) => taking.abort(done));
      picture.close();
      await close(target);
      target = to.open();
      expect((await opened(target)).appliedSlot).toBe(0);
    });

    test('an empty state travels, too', async () => {
      const picture = await exported(source);
      await copy(picture, await importing(target, { slot: 3, cluster: 'c1', base: undefined }), 100);
      expect(await opened(target)).toMatchObject({ appliedSlot: 3, history: 'c1' });
    });

    test('a picture outlives the state that it was taken of', async () => {
      await fill(source, 4);
      const old = await exported(source);
      const given = await digest(old);
      await fill(target, 6);
      const newer = await exported(target);
      await copy(newer, await importing(source, { slot: 6, cluster: 'c1', base: undefined }), 100);
      await fill(source, 9, 6);
      expect(await digest(old)).toBe(given);
      old.close();
      newer.close();
    });

    test('what is set aside is replaced by an empty, unbound state', async () => {
      await bind(source, 'c1');
      await fill(source, 4);
      const place = await new Promise<{ appliedSlot: number; isBound: boolean; history: string }>(
        (done) => source.setAside(done));
      expect(place).toMatchObject({ appliedSlot: 0, isBound: false });
      expect(place.history).not.toBe('c1');
      await bind(source, 'c2');
      await fill(source, 2);
      expect((await opened(source)).appliedSlot).toBe(2);
    });

    test('random histories: whatever chunk size, the copy equals the original', async () => {
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 25 }), fc.integer({ min: 1, max: 3_000 }), async (slots, size) => {
          await close(source);
          await close(target);
          from.destroy();
          to.destroy();
          [from, to] = [make(BOUNDS), make(BOUNDS)];
          [source, target] = [from.open(), to.open()];
          await Promise.all(Array.from({ length: slots }, (_, index) => one(source, index + 1)));
          const picture = await exported(source);
          await copy(picture, await importing(target, { slot: slots, cluster: 'c1', base: undefined }), size);
          picture.close();
          expect(await digestNow(target)).toBe(await digestNow(source));
          expect(sorted(await mustLoad(target, SPACE))).toEqual(sorted(await mustLoad(source, SPACE)));
        }),
        { numRuns: 15 },
      );
    });
  });
}

const bind = (store: StateStore, cluster: string): Promise<void> =>
  told((done) => store.bind(cluster, done));
const written = (taking: StateImport, bytes: Uint8Array): Promise<void> =>
  told((done) => taking.write(bytes, done));
const finished = (taking: StateImport, hex: string): Promise<void> =>
  told((done) => taking.finish(hex, done));

export const exported = (store: StateStore): Promise<StateExport> =>
  answered((done) => store.exportState(done));
const at = (store: StateStore, slot: number): Promise<StateExport> =>
  answered((done) => store.exportAt(slot, done));
export const importing = (store: StateStore, head: ImportHead): Promise<StateImport> =>
  answered((done) => store.importState(head, done));
export const digest = (picture: StateExport): Promise<string> =>
  answered((done) => picture.digest(done));

export async function digestNow(store: StateStore): Promise<string> {
  const picture = await exported(store);
  const hex = await digest(picture);
  picture.close();
  return hex;
}

export async function copy(picture: StateExport, taking: StateImport, size: number): Promise<void> {
  for (const { bytes } of await chunks(picture, size)) await written(taking, bytes);
  await finished(taking, await digest(picture));
}

async function chunks(picture: StateExport, size: number, from?: Uint8Array) {
  const found: { readonly bytes: Uint8Array; readonly next: Uint8Array | undefined }[] = [];
  for (let cursor = from; ;) {
    const chunk = await answered<(typeof found)[number]>((done) => picture.read(cursor, size, done));
    found.push({ bytes: Buffer.from(chunk.bytes), next: chunk.next && Buffer.from(chunk.next) });
    if (chunk.next === undefined) return found;
    cursor = chunk.next;
  }
}

function told(call: (done: (error?: Error) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => (error === undefined ? resolve() : reject(error)));
  });
}

function answered<T>(call: (done: (value: T | undefined, error?: Error) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((value, error) => (value === undefined ? reject(error ?? new Error('no answer')) : resolve(value)));
  });
}


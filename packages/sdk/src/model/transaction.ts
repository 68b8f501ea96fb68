/**
 * One execution's view of the tables: reads come from the reader below unless this execution wrote
 * the key itself, writes stay here until it has succeeded. What was read from below is recorded,
 * because the execution must run again when any of it changes (Kung and Robinson 1981); own writes
 * read back depend on nobody.
 */
import { OxbowError } from '../protocol/index.js';
import type { Effect, KeyText, Row, UpdateId } from '../protocol/index.js';
import { Chance } from './chance.js';
import * as modelLimits from './limits.js';
import type { RangeRead, Reader, ReadSet } from './reader.js';

/** What a mutation knows of the update that it executes. */
export interface Call {
  readonly id: UpdateId;
  /** `tx.now`. */
  readonly at: number;
  readonly user: string | null;
}

/**
 * An effect while it can still change: a key written twice has one effect, at the place of its
 * first write.
 */
export interface Write {
  readonly table: string;
  readonly key: KeyText;
  row: Row | null;
}

/** A scan under way; its range grows with it, so it is asked at the end. */
export interface RangeSource {
  range(): RangeRead | undefined;
}

/** `reading`: a query, a check, an authorization. */
export type Phase = 'reading' | 'writing' | 'ended';

export const NO_EFFECTS: readonly Effect[] = Object.freeze([]);
export const NO_READS: ReadSet = Object.freeze({ keys: new Map(), ranges: Object.freeze([]) });

export class Transaction {
  readonly reader: Reader;
  /** Undefined for a query. */
  readonly call: Call | undefined;
  readonly dev: boolean;
  #phase: Phase = 'reading';
  // 0 ≤ steps ≤ stepsMax + 1; exceeded ⇔ a bound was passed, however the mutation took the error.
  #steps = 0;
  #units = 0;
  #exceeded: OxbowError | undefined;
  /** A list that grows from nothing gets room for many; mostly there is one write. */
  #writes: Write[] | undefined;
  #keys: Map<string, Set<KeyText>> | undefined;
  #scans: RangeSource[] | undefined;
  #chance: Chance | undefined;

  constructor(reader: Reader, call: Call | undefined, dev: boolean) {
    this.reader = reader;
    this.call = call;
    this.dev = dev;
  }

  /**
   * Chance starts anew: an id drawn by `apply` does not depend on how many alternatives were
   * checked before.
   */
  enter(phase: Phase): void {
    this.#phase = phase;
    this.#chance = undefined;
  }

  get exceeded(): OxbowError | undefined {
    return this.#exceeded;
  }

  /** Before every read, and for every row met. Errors: `tx-ended`, `limit-exceeded`. */
  step(): void {
    if (this.#phase === 'ended') throw ended();
    if (++this.#steps > modelLimits.stepsMax) throw this.#exceed('steps', modelLimits.stepsMax);
  }

  /** Before every write. Errors: `tx-read-only` besides those of `step`. */
  stepToWrite(): void {
    this.step();
    if (this.#phase === 'writing') return;
    throw new OxbowError(
      'tx-read-only',
      'Cannot write in a query, a check or an authorization. Write in apply, merge or server.after.',
    );
  }

  readKey(table: string, key: KeyText): void {
    const keys = (this.#keys ??= new Map<string, Set<KeyText>>());
    const known = keys.get(table);
    if (known === undefined) keys.set(table, new Set([key]));
    else known.add(key);
  }

  readRange(scan: RangeSource): void {
    (this.#scans ??= []).push(scan);
  }

  /** A first write of a key. `units` as `copyValue` counts. Errors: `limit-exceeded`. */
  addWrite(write: Write, units: number): void {
    const writes = this.#writes;
    if (writes !== undefined && writes.length >= modelLimits.writesMax) {
      throw this.#exceed('writes', modelLimits.writesMax);
    }
    this.weighWrite(units);
    if (writes === undefined) this.#writes = [write];
    else writes.push(write);
  }

  /** Errors: `limit-exceeded`. */
  weighWrite(units: number): void {
    this.#units += units;
    if (this.#units > modelLimits.writeUnitsMax) {
      throw this.#exceed('chars written', modelLimits.writeUnitsMax);
    }
  }

  /** Errors: `tx-ended`; `tx-query` in a query, which has no update to derive it from. */
  callNow(): Call {
    if (this.#phase === 'ended') throw ended();
    if (this.call !== undefined) return this.call;
    throw new OxbowError(
      'tx-query',
      'A query has no now, user, id or random. Pass in what it needs.',
    );
  }

  chance(): Chance {
    const { id, at } = this.callNow();
    return (this.#chance ??= new Chance(id, at));
  }

  /** From here on every use of it is an error. The reads are complete. */
  end(): void {
    this.#phase = 'ended';
  }

  effects(): readonly Effect[] {
    return this.#writes ?? NO_EFFECTS;
  }

  reads(): ReadSet {
    if (this.#keys === undefined && this.#scans === undefined) return NO_READS;
    const ranges: RangeRead[] = [];
    for (const scan of this.#scans ?? []) {
      const range = scan.range();
      if (range !== undefined) ranges.push(range);
    }
    return { keys: this.#keys ?? NO_READS.keys, ranges };
  }

  #exceed(what: string, max: number): OxbowError {
    this.#exceeded ??= new OxbowError(
      'limit-exceeded',
      `Execution stopped: more than ${max} ${what}. Split the work over several updates.`,
    );
    return this.#exceeded;
  }
}

const ended = (): OxbowError =>
  new OxbowError(
    'tx-ended',
    'A transaction was used after its end. Take what you need while it runs.',
  );

/**
 * From executed entries to durable ones: what is executed in a turn becomes one slot, slots are
 * proposed while earlier ones are still being chosen (pipelining, bounded), and a batch is whatever
 * came together meanwhile. Chosen slots go to the state store; the log may forget them when they
 * are there. Nothing here knows what an entry means.
 */
import { encodeBatch, invariant, readBatch, limits as protocolLimits } from '@oxbow/sdk/protocol';
import type { CommitEntry, SpaceId } from '@oxbow/sdk/protocol';
import type { SpaceEntries } from '../space/state-store.js';
import type { Utf8 } from './config.js';
import type { NodeEffects } from './effects.js';
import { BATCH_HEAD_CHARS } from './limits.js';
import type { NodeLimits } from './limits.js';

/** Executed and not proposed, of one space. */
interface Waiting {
  entries: CommitEntry[];
  chars: number[];
}

/** One slot under way. */
interface Flight {
  readonly tag: number;
  readonly batches: readonly SpaceEntries[];
  readonly entries: number;
  readonly chars: number;
  readonly bytes: number;
  /** When its first entry was executed. */
  readonly sinceMs: number;
}

export class Pipeline {
  readonly #limits: NodeLimits;
  readonly #utf8: Utf8;
  readonly #effects: NodeEffects;
  #waiting = new Map<SpaceId, Waiting>();
  #waitingSinceMs = 0;
  /** In the order of their tags. */
  #flights: Flight[] = [];
  #nextTag = 1;
  #bytesInFlight = 0;
  /** Executed and not chosen, proposed or not. */
  #entries = 0;
  #chars = 0;
  // applied ≤ chosen
  #appliedSlot: number;
  #chosenSlot: number;

  constructor(
    options: { limits: NodeLimits; utf8: Utf8; appliedSlot: number },
    effects: NodeEffects,
  ) {
    this.#limits = options.limits;
    this.#utf8 = options.utf8;
    this.#effects = effects;
    this.#appliedSlot = options.appliedSlot;
    this.#chosenSlot = options.appliedSlot;
  }

  get entriesInFlight(): number {
    return this.#entries;
  }

  get slotsInFlight(): number {
    return this.#flights.length;
  }

  get chosenSlot(): number {
    return this.#chosenSlot;
  }

  get slotsUnapplied(): number {
    return this.#chosenSlot - this.#appliedSlot;
  }

  /** No more updates may be executed until something is chosen or applied. */
  get isFull(): boolean {
    const { entriesInFlightMax, charsInFlightMax, slotsUnappliedMax } = this.#limits;
    return this.#entries >= entriesInFlightMax || this.#chars >= charsInFlightMax ||
      this.slotsUnapplied >= slotsUnappliedMax;
  }

  /** Nothing is on its way. */
  get isIdle(): boolean {
    return this.#entries === 0 && this.slotsUnapplied === 0;
  }

  add(space: SpaceId, entry: CommitEntry, chars: number, now: number): void {
    if (this.#waiting.size === 0) this.#waitingSinceMs = now;
    let waiting = this.#waiting.get(space);
    if (waiting === undefined) {
      waiting = { entries: [], chars: [] };
      this.#waiting.set(space, waiting);
    }
    waiting.entries.push(entry);
    waiting.chars.push(chars);
    this.#entries += 1;
    this.#chars += chars;
  }

  /** Proposes what waits, as far as the bounds allow. */
  propose(): void {
    const { slotsInFlightMax, bytesInFlightMax } = this.#limits;
    while (this.#waiting.size > 0 && this.#flights.length < slotsInFlightMax) {
      // Judged before the payload is made, hence by the largest it can be.
      const isRoom = this.#bytesInFlight + this.#limits.payloadBytesMax <= bytesInFlightMax;
      if (!isRoom && this.#flights.length > 0) return;
      this.#proposeSlot();
    }
  }

  /**
   * `payload` undefined: the slot changes nothing, which moves the state's slot all the same.
   * Errors: `bad-message` for a payload that this version cannot read.
   */
  chosen(slot: number, payload: Uint8Array | undefined, tag: number | undefined): ChosenSlot {
    invariant(slot === this.#chosenSlot + 1, 'slots are chosen in order, without holes');
    this.#chosenSlot = slot;
    const flight = tag === undefined ? undefined : this.#land(tag);
    const batches = payload === undefined
      ? NOTHING
      : flight?.batches ?? readBatch(this.#utf8.decode(payload));
    this.#effects.apply(slot, batches);
    if (flight === undefined) return { batches, sinceMs: undefined, isVoid: false };
    return payload === undefined
      ? { batches, sinceMs: undefined, isVoid: true }
      : { batches, sinceMs: flight.sinceMs, isVoid: false };
  }

  /**
   * The state was replaced by one that stands at `slot`. What was under way to the old one is
   * answered for it only.
   */
  stateReplaced(slot: number): void {
    invariant(slot >= this.#chosenSlot, 'a state is replaced by a newer one');
    this.#chosenSlot = slot;
    this.#appliedSlot = slot;
  }

  applied(slot: number): void {
    invariant(slot <= this.#chosenSlot, 'what is applied was chosen');
    if (slot <= this.#appliedSlot) return;
    this.#appliedSlot = slot;
    this.#effects.trim(slot);
  }

  /** Another leads: what we executed and did not see chosen is void. */
  forget(): void {
    this.#waiting = new Map();
    this.#flights = [];
    this.#bytesInFlight = 0;
    this.#entries = 0;
    this.#chars = 0;
  }

  #land(tag: number): Flight | undefined {
    const at = this.#flights.findIndex((flight) => flight.tag === tag);
    const [flight] = at < 0 ? [] : this.#flights.splice(at, 1);
    if (flight === undefined) return undefined;
    this.#bytesInFlight -= flight.bytes;
    this.#entries -= flight.entries;
    this.#chars -= flight.chars;
    return flight;
  }

  #proposeSlot(): void {
    const { batches, entries, chars } = this.#take();
    const payload = this.#utf8.encode(encodeBatch(batches));
    invariant(payload.length <= this.#limits.payloadBytesMax, 'a slot keeps to its bound');
    const tag = this.#nextTag++;
    const bytes = payload.length;
    this.#flights.push({ tag, batches, entries, chars, bytes, sinceMs: this.#waitingSinceMs });
    this.#bytesInFlight += bytes;
    this.#effects.propose(payload, tag);
  }

  /**
   * All that waits, or as much as a slot holds. What is left moves to a new map: the tables that a
   * map outgrows or shrinks out of hang together, and hold what was in them.
   */
  #take(): { batches: SpaceEntries[]; entries: number; chars: number } {
    const batches: SpaceEntries[] = [];
    const rest = new Map<SpaceId, Waiting>();
    let isFull = false;
    let room = Math.floor(this.#limits.payloadBytesMax / 3);
    let entries = 0;
    let chars = 0;
    for (const [space, waiting] of this.#waiting) {
      isFull ||= batches.length >= protocolLimits.spacesPerBatchMax;
      const part = isFull ? NO_PART : takeWithin(waiting.chars, room - BATCH_HEAD_CHARS);
      if (part.count < waiting.entries.length) {
        isFull = true;
        rest.set(space, waiting);
      }
      if (part.count === 0) continue;
      const isAll = part.count === waiting.entries.length;
      const taken = isAll ? waiting.entries : waiting.entries.splice(0, part.count);
      batches.push({ space, entries: taken });
      room -= part.chars + part.count + BATCH_HEAD_CHARS;
      entries += part.count;
      chars += part.chars;
      if (!isAll) waiting.chars.splice(0, part.count);
    }
    this.#waiting = rest;
    invariant(entries > 0, 'a slot has room for at least one entry');
    return { batches, entries, chars };
  }
}

const NOTHING: readonly SpaceEntries[] = [];
const NO_PART = { count: 0, chars: 0 };

export interface ChosenSlot {
  readonly batches: readonly SpaceEntries[];
  /** When the first of its entries was executed; undefined if that was not here and now. */
  readonly sinceMs: number | undefined;
  /** Ours, and it took no effect: what was executed here is not what is so. */
  readonly isVoid: boolean;
}

/** How many from the front fit, with a comma each. */
function takeWithin(sizes: readonly number[], room: number): { count: number; chars: number } {
  let chars = 0;
  let count = 0;
  for (const size of sizes) {
    if (chars + size + count + 1 > room) break;
    chars += size;
    count += 1;
  }
  return { count, chars };
}

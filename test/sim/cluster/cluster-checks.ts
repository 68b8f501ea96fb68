/** What nodes tell, held against what nodes told: every slot means the same to all, for ever. */
import { decodeBatch } from '@oxbow/sdk/protocol';
import { Violation, type Truth } from '../checkers.js';
import type { OrderHistory } from '../order-history.js';
import type { World } from '../world.js';

export class ClusterChecks {
  readonly truths: ReadonlyMap<string, Truth>;
  readonly orders: ReadonlyMap<string, OrderHistory>;
  readonly #world: World;
  readonly #contents = new Map<number, { readonly text: string; readonly teller: string }>();
  leaderships = 0;
  lastSlot = 0;

  constructor(
    world: World,
    options: {
      truths: ReadonlyMap<string, Truth>; orders: ReadonlyMap<string, OrderHistory>;
    },
  ) {
    this.#world = world;
    this.truths = options.truths;
    this.orders = options.orders;
  }

  chosen(node: string, slot: number, payload: Uint8Array | undefined): void {
    const text = payload === undefined ? '' : new TextDecoder().decode(payload);
    const known = this.#contents.get(slot);
    if (known !== undefined && known.text !== text) {
      throw new Violation('a slot has one value for ever',
        `slot ${slot} is ${short(known.text)} at ${known.teller}, ${short(text)} at ${node}`);
    }
    if (known !== undefined) return;
    this.#contents.set(slot, { text, teller: node });
    this.lastSlot = Math.max(this.lastSlot, slot);
    this.#world.trace(`slot ${slot} is chosen ${short(text)}`);
    // A word among nodes is no batch: it changes no state.
    if (!text.startsWith('[')) return;
    for (const { space, entries } of decodeBatch(text)) {
      const truth = this.truths.get(space);
      for (const entry of entries) {
        if (truth !== undefined && entry.csn <= truth.entries.length) {
          throw new Violation('an entry is chosen in one slot', `csn ${entry.csn} of ${space} comes again in slot ${slot}`);
        }
        truth?.chosen(entry);
      }
    }
  }
}

const short = (text: string): string => (text === '' ? 'nothing' : text.slice(0, 120));

/**
 * What must be true of a group, as it runs: everything that any member tells goes through here, so
 * a broken promise stops the run at the event that broke it.
 */
import type { Ballot } from '../../../packages/server/src/paxos/ballot.js';
import type { Chosen } from '../../../packages/server/src/paxos/effects.js';
import { checkLinearizable } from '../../checkers/linearizability.js';
import { lists, type ListInput, type ListOutput } from '../../checkers/model.js';
import { History } from '../../checkers/history.js';
import { Violation } from '../checkers.js';
import type { World } from '../world.js';
import { decodeCommand } from './lists-state.js';

export class PaxosChecks {
  readonly history = new History<ListInput, ListOutput>();
  readonly #world: World;
  /** What a slot holds, as its first teller had it. */
  readonly #contents = new Map<number, { readonly text: string; readonly teller: string }>();
  readonly #digests = new Map<number, { readonly digest: number; readonly teller: string }>();
  readonly #slotByCommand = new Map<string, number>();
  /** Of all that ever led, whoever began last in the order of slots. */
  #newest: { readonly beginSlot: number; readonly node: string } | undefined;
  leaderships = 0;
  lastSlot = 0;

  constructor(world: World) {
    this.#world = world;
  }

  get commands(): number {
    return this.#slotByCommand.size;
  }

  chosen(node: string, slot: number, chosen: Chosen): void {
    const text = chosen.kind === 'command' ? new TextDecoder().decode(chosen.payload) : '';
    const known = this.#contents.get(slot);
    if (known === undefined) {
      this.#contents.set(slot, { text, teller: node });
      this.#world.trace(`slot ${slot} is chosen ${text}`);
      if (text !== '') this.#mustBeNew(slot, text);
    } else if (known.text !== text) {
      const [was, is] = [known.text, text].map((one) => (one === '' ? 'nothing' : one));
      throw new Violation('a slot has one value for ever',
        `slot ${slot} is ${was} at ${known.teller}, ${is} at ${node}`);
    }
    this.lastSlot = Math.max(this.lastSlot, slot);
  }

  /** The state of a node that has applied all slots up to this one. */
  stands(node: string, slot: number, digest: number): void {
    const known = this.#digests.get(slot);
    if (known === undefined) this.#digests.set(slot, { digest, teller: node });
    else if (known.digest !== digest) {
      throw new Violation('replicas that applied the same slots are equal',
        `${node} and ${known.teller} differ at slot ${slot}`);
    }
  }

  /** `beginSlot`: the last one that was chosen when it was told to lead. */
  leads(node: string, { round, member }: Ballot, beginSlot: number): void {
    this.leaderships++;
    this.#world.trace(`${node} leads under ${round} of ${member} from slot ${beginSlot}`);
    // Not by ballot: those of different configurations know nothing of each other.
    if (this.#newest === undefined || beginSlot > this.#newest.beginSlot) {
      this.#newest = { beginSlot, node };
    }
  }

  /** A read was answered by lease alone: nobody may have begun to lead since. */
  readByLease(node: string, beginSlot: number): void {
    if (this.#newest === undefined || this.#newest.beginSlot <= beginSlot) return;
    throw new Violation('no two leaders have valid leases',
      `${node} leads from slot ${beginSlot} and reads, ${this.#newest.node} leads from ${this.#newest.beginSlot}`);
  }

  /** A machine says so only of what must not be. */
  complained(node: string, event: string): void {
    throw new Violation('nothing is wrong', `${node} says ${event}`);
  }

  checkHistory(): void {
    const operations = this.history.operations();
    const verdict = checkLinearizable(lists, operations);
    if (verdict.kind === 'linearizable') return;
    if (verdict.kind === 'gave-up') throw new Error(`the history of ${verdict.part} is too hard to check`);
    const shown = verdict.stuck.map((one) => JSON.stringify(one)).join('; ');
    throw new Violation('reads and writes are linearizable',
      `of ${verdict.part}, after ${verdict.longest.length} of its operations none of these fits: ${shown}`);
  }

  #mustBeNew(slot: number, text: string): void {
    const { client, seq } = decodeCommand(new TextEncoder().encode(text));
    const key = `${client}/${seq}`;
    const other = this.#slotByCommand.get(key);
    if (other !== undefined) {
      throw new Violation('what was asked for once is done once', `${key} in slots ${other} and ${slot}`);
    }
    this.#slotByCommand.set(key, slot);
  }
}

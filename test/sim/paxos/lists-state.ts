/**
 * The replicated object of the Paxos world: lists that grow, and a ledger of what each client asked
 * last. A command says where in the list its leader put the value when it proposed it, as the
 * server's entries say what they do to rows: it is right only after all that its leader had
 * proposed before. So a command that takes effect out of its primary's order is seen at once.
 */
import { Violation } from '../checkers.js';

export interface ListCommand {
  readonly client: string;
  readonly seq: number;
  readonly key: string;
  readonly value: string;
  /** Index at which its leader put it. */
  readonly index: number;
}

export const encodeCommand = (command: ListCommand): Uint8Array =>
  new TextEncoder().encode(JSON.stringify(command));

export const decodeCommand = (payload: Uint8Array): ListCommand =>
  // reason: written by encodeCommand.
  JSON.parse(new TextDecoder().decode(payload)) as ListCommand;

export class ListsState {
  readonly #lists: Map<string, string[]>;
  readonly #ledger: Map<string, number>;
  #digest: number;

  constructor(from?: ListsState) {
    const isCopy = from !== undefined;
    this.#lists = new Map(isCopy ? [...from.#lists].map(([key, list]) => [key, [...list]]) : []);
    this.#ledger = new Map(isCopy ? from.#ledger : []);
    this.#digest = isCopy ? from.#digest : 0x811c9dc5;
  }

  /** Of all that was applied, in its order. */
  get digest(): number {
    return this.#digest >>> 0;
  }

  read(key: string): string {
    return (this.#lists.get(key) ?? []).join(',');
  }

  /** The last one of this client that was applied; 0: none. */
  lastSeq(client: string): number {
    return this.#ledger.get(client) ?? 0;
  }

  /** What a leader proposes for a client's wish on top of this state. */
  placed(wish: Omit<ListCommand, 'index'>): ListCommand {
    return { ...wish, index: this.#lists.get(wish.key)?.length ?? 0 };
  }

  apply(command: ListCommand): void {
    const { client, seq, key, value, index } = command;
    const list = this.#lists.get(key) ?? [];
    if (list.length !== index) {
      throw new Violation(
        "a command takes effect in its primary's order",
        `${client}/${seq} was made for index ${index} of ${key}, which has ${list.length}`,
      );
    }
    list.push(value);
    this.#lists.set(key, list);
    this.#ledger.set(client, seq);
    for (const text of [client, `${seq}`, key, value]) this.#mix(text);
  }

  /** All of it as text, equal for equal states. */
  text(): string {
    const sorted = <V>(map: ReadonlyMap<string, V>): [string, V][] =>
      [...map].sort(([a], [b]) => (a < b ? -1 : 1));
    return JSON.stringify([sorted(this.#lists), sorted(this.#ledger), this.digest]);
  }

  #mix(text: string): void {
    for (let i = 0; i < text.length; i++) {
      this.#digest = Math.imul(this.#digest ^ text.charCodeAt(i), 0x01000193);
    }
  }
}

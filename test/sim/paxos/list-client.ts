/**
 * A client of the Paxos world: one operation at a time, asked again and again under the same number
 * until it is answered or given up. What it asked and heard is the history that must be
 * linearizable.
 */
import type { OpenOperation } from '../../checkers/history.js';
import type { ListOutput } from '../../checkers/model.js';
import type { Random } from '../random.js';
import type { World } from '../world.js';
import type { Answer, Request } from './list-service.js';
import type { PaxosChecks } from './paxos-checks.js';
import type { PaxosNode } from './paxos-node.js';
import type { PaxosSwarm } from './paxos-swarm.js';

export interface ListClientParts {
  readonly world: World;
  readonly random: Random;
  readonly swarm: PaxosSwarm;
  readonly checks: PaxosChecks;
  readonly nodes: () => readonly PaxosNode[];
}

const TIMEOUT_MS = 250;
/** In turmoil it may give an operation up and never learn what came of it. */
const GIVE_UP = 0.15;

interface Open {
  readonly request: Request;
  readonly noted: OpenOperation<ListOutput>;
  /** One more with each try: late answers to an earlier one count all the same. */
  tries: number;
}

export class ListClient {
  readonly name: string;
  readonly #parts: ListClientParts;
  #open: Open | undefined;
  #seq = 0;
  #hint: string | undefined;
  #mayGiveUp = true;
  #mayAsk = true;
  answered = 0;

  constructor(name: string, parts: ListClientParts) {
    this.name = name;
    this.#parts = parts;
  }

  /** Whether everything that it asked was answered. */
  get isSettled(): boolean {
    return this.#open === undefined;
  }

  start(): void {
    const { world, random, swarm } = this.#parts;
    world.after(random.exponential(swarm.thinkMs), () => this.#next());
  }

  /** Faults are over: what is open is asked until it is answered, then one last read. */
  settle(): void {
    this.#mayGiveUp = false;
    this.#mayAsk = false;
  }

  /** One read more, of each key in turn, when all is quiet. */
  readOnce(key: string): void {
    this.#ask({ kind: 'read', key });
  }

  #next(): void {
    if (!this.#mayAsk || this.#open !== undefined) return;
    const { random, swarm } = this.#parts;
    const key = `k${random.int(0, swarm.keys)}`;
    if (random.chance(swarm.reads)) return this.#ask({ kind: 'read', key });
    const seq = ++this.#seq;
    this.#ask({ kind: 'append', wish: { client: this.name, seq, key, value: `${this.name}.${seq}` } });
  }

  #ask(request: Request): void {
    const input = request.kind === 'read'
      ? { kind: 'read' as const, key: request.key }
      : { kind: 'append' as const, key: request.wish.key, value: request.wish.value };
    const noted = this.#parts.checks.history.asked(this.name, input);
    this.#open = { request, noted, tries: 0 };
    this.#try(this.#open);
  }

  #try(open: Open): void {
    const { world, random } = this.#parts;
    const number = ++open.tries;
    const node = this.#pickNode();
    this.#travel(() => {
      const arrive = node.process.bound(() => node.request(open.request, (answer) =>
        this.#travel(() => this.#answered(open, number, answer))));
      arrive();
    });
    world.after(TIMEOUT_MS + random.exponential(50), () => {
      if (this.#open !== open || open.tries !== number) return;
      this.#hint = undefined;
      if (this.#mayGiveUp && random.chance(GIVE_UP)) this.#leave();
      else this.#try(open);
    });
  }

  #answered(open: Open, number: number, answer: Answer): void {
    if (this.#open !== open) return;
    if (answer.kind === 'done') {
      this.answered++;
      this.#parts.world.trace(`${this.name} is told ${answer.output}`);
      open.noted.answered(answer.output);
      return this.#leave();
    }
    if (open.tries !== number) return;
    this.#hint = answer.leader;
    const { world, random } = this.#parts;
    open.tries++;
    world.after(random.exponential(answer.leader === undefined ? 30 : 1), () => {
      if (this.#open === open) this.#try(open);
    });
  }

  #leave(): void {
    const { world, random, swarm } = this.#parts;
    this.#open = undefined;
    world.after(random.exponential(swarm.thinkMs), () => this.#next());
  }

  #pickNode(): PaxosNode {
    const { random, nodes } = this.#parts;
    const all = nodes();
    return all.find(({ name }) => name === this.#hint) ?? random.pick(all);
  }

  /** There and back over a network that loses a little. */
  #travel(arrive: () => void): void {
    const { world, random, swarm } = this.#parts;
    const delayMs = 0.1 + random.exponential(swarm.network.meanMs);
    if (!random.chance(swarm.network.loss)) world.after(delayMs, arrive);
  }
}

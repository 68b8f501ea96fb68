/**
 * What becomes of an update that came out of a file (rescue.ts). It bears another replica's id, and
 * a log keeps no stages of those: so it is read off the log, and off the commits that are kept,
 * when somebody asks. That also holds for a file that is read once more after a restart.
 */
import type { AppDefinition } from '../model/index.js';
import type { Update, UpdateId, Value } from '../protocol/index.js';
import { isEntryOf } from '../replica/kept-log.js';
import type { FinalOutcome, Receipt as Held, Stage } from '../replica/receipt.js';
import type { SpaceReplica } from '../replica/space.js';

type Reader<A extends AppDefinition> = Pick<SpaceReplica<A>, 'insides' | 'subscribe'>;

export class CarriedUpdate<A extends AppDefinition> implements Held {
  readonly #update: Update;
  readonly #replica: Reader<A>;
  /** As last seen; of no use any more once it is final. */
  #outcome: FinalOutcome = { kind: 'applied' };
  #isFinal = false;

  constructor(update: Update, replica: Reader<A>) {
    this.#update = update;
    this.#replica = replica;
  }

  get id(): UpdateId {
    return this.#update.id;
  }

  get name(): string {
    return this.#update.name;
  }

  get args(): Value {
    return this.#update.args;
  }

  get at(): number {
    return this.#update.at;
  }

  /** How far another's update is in between, nobody here knows. */
  get stage(): Stage {
    this.#look();
    return this.#isFinal ? 'committed' : 'local';
  }

  get outcome(): FinalOutcome {
    this.#look();
    return this.#outcome;
  }

  onChange(fn: () => void): () => void {
    let { stage, outcome } = this;
    return this.#replica.subscribe(() => {
      const before = { stage, outcome };
      ({ stage, outcome } = this);
      if (stage !== before.stage || outcome !== before.outcome) fn();
    });
  }

  #look(): void {
    if (this.#isFinal) return;
    const { id } = this.#update;
    const { state } = this.#replica.insides;
    const held = state.held(id);
    if (held !== undefined) {
      this.#outcome = held.outcome;
    } else if (id.seq <= state.settledSeq(id.replica)) {
      const entry = state.kept.find(id);
      const isKept = entry !== undefined && isEntryOf(entry, this.#update);
      this.#outcome = isKept ? entry.outcome : { kind: 'unknown' };
      this.#isFinal = true;
    }
  }
}

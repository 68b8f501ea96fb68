/**
 * How a member gets slots that it missed: it asks one that knows more, chunk by chunk; when they
 * are gone there, it asks the other voters in turn; and when they are gone everywhere, it takes the
 * state instead. "Gone" means chosen and forgotten, never empty.
 */
import type { MemberId } from './ballot.js';
import { valueBytes } from './accepted-log.js';
import type { Ground } from './ground.js';
import type { PaxosMessage } from './message.js';
import type { Base } from './record.js';
import type { Value } from './value.js';

export class CatchUp {
  readonly #ground: Ground;
  /** Asked, and not answered since then. */
  #asked: { readonly member: MemberId; readonly at: number } | undefined;
  /** Who was asked for the slots that the first one had forgotten. */
  readonly #tried = new Set<MemberId>();
  readonly #down = new Set<MemberId>();
  #failedAt = -Infinity;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  linked(member: MemberId, isUp: boolean): void {
    if (isUp) this.#down.delete(member);
    else this.#down.add(member);
    if (!isUp && this.#asked?.member === member) this.#asked = undefined;
  }

  /** `member` knows slots that are not chosen here. */
  want(member: MemberId, now: number): void {
    const { learner, limits } = this.#ground;
    if (learner.isWaitingForState || member === this.#ground.self) return;
    if (now - this.#failedAt < limits.resendMs) return;
    if (this.#asked !== undefined && now - this.#asked.at < limits.resendMs) return;
    this.#ask(member, now);
  }

  onChosen(from: MemberId, message: PaxosMessage & { kind: 'chosen' }, now: number): void {
    const { learner } = this.#ground;
    const before = learner.chosenSlot;
    learner.learn(message.firstSlot, message.values);
    if (learner.chosenSlot > before) this.#tried.clear();
    if (this.#asked?.member !== from) return;
    this.#asked = undefined;
    const isMore = message.chosenUpTo > learner.chosenSlot;
    if (isMore && learner.chosenSlot > before) this.#ask(from, now);
  }

  onTrimmed(from: MemberId, upTo: number, now: number): void {
    const { learner, effects, self } = this.#ground;
    if (learner.isWaitingForState || upTo <= learner.chosenSlot) return;
    if (this.#asked?.member !== from) return;
    this.#asked = undefined;
    this.#tried.add(from);
    const next = learner.configuration.voters
      .find(({ id }) => id !== self && !this.#tried.has(id) && !this.#down.has(id));
    if (next !== undefined) return this.#ask(next.id, now);
    this.#tried.clear();
    learner.isWaitingForState = true;
    effects.log('info', 'fetch-state', { from, chosenSlot: learner.chosenSlot, trimmedUpTo: upTo });
    effects.fetchState(from);
  }

  installed(base: Base | undefined, now: number): void {
    const { learner } = this.#ground;
    learner.isWaitingForState = false;
    if (base === undefined) this.#failedAt = now;
    else learner.install(base);
  }

  /** The answer to `learn`. */
  answer(to: MemberId, fromSlot: number, now: number): void {
    const { acceptor: { log }, learner, effects, limits } = this.#ground;
    const { chosenSlot } = learner;
    if (fromSlot <= log.base) {
      effects.send(to, { kind: 'trimmed', upTo: log.base });
      return;
    }
    learner.hold(to, fromSlot - 1, now);
    const values: Value[] = [];
    let bytes = 0;
    for (let slot = fromSlot; slot <= chosenSlot; slot++) {
      const entry = log.at(slot);
      if (entry === undefined) break;
      const size = valueBytes(entry.value);
      if (values.length > 0 && bytes + size > limits.partBytesMax) break;
      values.push(entry.value);
      bytes += size;
    }
    effects.send(to, { kind: 'chosen', firstSlot: fromSlot, values, chosenUpTo: chosenSlot });
  }

  #ask(member: MemberId, now: number): void {
    this.#asked = { member, at: now };
    // One that is down must not be asked again and again before the others.
    if (this.#tried.size > 0) this.#tried.add(member);
    this.#ground.effects.send(member, {
      kind: 'learn', fromSlot: this.#ground.learner.chosenSlot + 1,
    });
  }
}

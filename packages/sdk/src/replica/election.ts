/**
 * Which tab of a profile keeps its disk and network. The lead is a lock that goes free when its
 * holder closes or crashes, and one of those who wait gets it. A page that the browser freezes
 * keeps its locks, though, for minutes or days. So the others listen: a keeper answers when it is
 * asked, whatever its timers are allowed, and one that has not answered for a while is deprived of
 * the lock. It may have been slow only; that costs a change of keeper and nothing else, as the
 * store takes nothing from the former one (drivers/fenced-store.ts).
 *
 * Silence is counted in ticks of our own, never in time that went by: who was frozen itself has
 * heard nobody for long, and must listen first.
 */
import { OxbowError } from '../protocol/index.js';
import * as limits from '../protocol/limits.js';

export interface ElectionEffects {
  /** Answers: `seatHeld` or `seatTaken`. */
  holdSeat(seat: number): void;
  /** Wait for the lead. Answers, some day: `leadHeld`; after that perhaps `leadLost`. */
  queueForLead(): void;
  /** Leaves the queue and takes the lead by force. Answers as `queueForLead`. */
  stealLead(): void;
  /** Lets go of the lead, or leaves the queue. */
  leaveLead(): void;
  /** Take the store over. Answers: `risen` or `notRisen`. */
  rise(): void;
  /** The store is another's. */
  fall(): void;
  /** Who leads, or is about to? Answers: `heard`. */
  seek(): void;
  failed(error: OxbowError): void;
  /** Call `tick` after so many ms; once. */
  tickIn(ms: number): void;
}

type Phase = 'new' | 'seating' | 'tab' | 'rising' | 'leading' | 'left';

export class Election {
  readonly #out: ElectionEffects;
  #phase: Phase = 'new';
  #seat = 0;
  #silentTicks = 0;
  /** Ticks until it may lead again, and how many the next rest takes; 0: it may. */
  #rest = 0;
  #nextRest = limits.tabRestTicksMin;
  #isTicking = false;

  constructor(out: ElectionEffects) {
    this.#out = out;
  }

  get seat(): number {
    return this.#seat;
  }

  get hasSeat(): boolean {
    return this.#phase !== 'new' && this.#phase !== 'seating';
  }

  get phase(): Phase {
    return this.#phase;
  }

  start(): void {
    this.#phase = 'seating';
    this.#out.holdSeat(0);
  }

  seatTaken(): void {
    this.#seat += 1;
    if (this.#seat < limits.seatsMax) return this.#out.holdSeat(this.#seat);
    this.#phase = 'left';
    this.#out.failed(new OxbowError(
      'too-many-tabs',
      `${limits.seatsMax} tabs of this profile have the store open. Close some of them.`,
    ));
  }

  seatHeld(): void {
    this.#becomeTab();
  }

  leadHeld(): void {
    if (this.#phase !== 'tab') return;
    this.#phase = 'rising';
    this.#out.rise();
  }

  /** By force; or the store says that it is another's. */
  leadLost(): void {
    if (this.#phase !== 'rising' && this.#phase !== 'leading') return;
    this.#out.leaveLead();
    this.#out.fall();
    this.#becomeTab();
  }

  risen(): void {
    if (this.#phase !== 'rising') return;
    this.#phase = 'leading';
    this.#nextRest = limits.tabRestTicksMin;
  }

  /**
   * The store cannot be opened here. Perhaps another tab can; else this one tries again, less and
   * less often.
   */
  notRisen(): void {
    if (this.#phase !== 'rising') return;
    this.#rest = this.#nextRest;
    this.#nextRest = Math.min(2 * this.#nextRest, limits.tabRestTicksMax);
    this.#out.leaveLead();
    this.#becomeTab();
  }

  /** From whoever leads or is about to. */
  heard(): void {
    this.#silentTicks = 0;
  }

  tick(): void {
    this.#isTicking = false;
    if (this.#phase !== 'tab') return;
    this.#silentTicks += 1;
    if (this.#silentTicks > 1) this.#out.seek();
    if (this.#rest > 0 && --this.#rest === 0) this.#out.queueForLead();
    // Not all at once: whoever comes first is heard by the others.
    const patience = limits.tabSilentTicks + (this.#seat % 4);
    if (this.#rest === 0 && this.#silentTicks >= patience) {
      this.#silentTicks = 0;
      this.#out.stealLead();
    }
    this.#tickOn();
  }

  leave(): void {
    this.#phase = 'left';
    this.#out.leaveLead();
  }

  #becomeTab(): void {
    this.#phase = 'tab';
    this.#silentTicks = 0;
    if (this.#rest === 0) this.#out.queueForLead();
    this.#out.seek();
    this.#tickOn();
  }

  #tickOn(): void {
    if (this.#isTicking) return;
    this.#isTicking = true;
    this.#out.tickIn(limits.tabTickMs);
  }
}

/**
 * The spaces that are in memory, and the links that have them open. A space is loaded when it is
 * first wanted and dropped, the longest unused first, when room is needed, no link has it open and
 * nothing of it is in flight.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import type { SpaceId } from '@oxbow/sdk/protocol';
import { SpaceActor } from '../space/actor.js';
import type { ActorConfig } from '../space/actor.js';
import type { StoredSpace } from '../space/state-store.js';
import type { NodeEffects } from './effects.js';
import type { NodeLimits } from './limits.js';
import type { Tally } from './tally.js';

/** Whoever wants spaces: a link. */
export interface Guest {
  spaceReady(actor: SpaceActor): void;
  spaceChanged(space: SpaceId): void;
  spaceRefused(space: SpaceId, code: string, message: string): void;
}

type Seat =
  /** `isVoid`: what the answer will say is out of date. */
  | { readonly kind: 'loading'; readonly guests: Set<Guest>; isVoid: boolean }
  | { readonly kind: 'open'; readonly guests: Set<Guest>; readonly actor: SpaceActor };

export interface DirectoryParts {
  readonly actorConfig: ActorConfig;
  readonly limits: NodeLimits;
  readonly effects: NodeEffects;
  readonly tally: Tally;
  /** It has just been loaded: its rows may be of an older version of the app. */
  readonly lift: (actor: SpaceActor) => void;
}

const NOBODY: ReadonlySet<Guest> = new Set();

export class SpaceDirectory {
  readonly #parts: DirectoryParts;
  readonly #seats = new Map<SpaceId, Seat>();
  /** Open and without guests, the longest unused first. */
  readonly #idle = new Set<SpaceId>();

  constructor(parts: DirectoryParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#seats.size;
  }

  actor(space: SpaceId): SpaceActor | undefined {
    const seat = this.#seats.get(space);
    return seat?.kind === 'open' ? seat.actor : undefined;
  }

  guests(space: SpaceId): ReadonlySet<Guest> {
    return this.#seats.get(space)?.guests ?? NOBODY;
  }

  /** Answered now or later by `spaceReady` or `spaceRefused`. */
  want(space: SpaceId, guest: Guest): void {
    const seat = this.#seats.get(space);
    if (seat !== undefined) return this.#join(seat, space, guest);
    if (this.#seats.size < this.#parts.limits.spacesMax || this.#dropIdle()) {
      return this.#load(space, new Set([guest]));
    }
    const message = `Cannot open '${space}': the server holds as many spaces as it can. Try again later.`;
    guest.spaceRefused(space, 'server-busy', message);
  }

  leave(space: SpaceId, guest: Guest): void {
    const seat = this.#seats.get(space);
    if (seat === undefined || !seat.guests.delete(guest)) return;
    if (seat.kind === 'open' && seat.guests.size === 0) this.#idle.add(space);
  }

  loaded(space: SpaceId, stored: StoredSpace | undefined): void {
    const seat = this.#seats.get(space);
    if (seat?.kind !== 'loading') return;
    if (seat.isVoid) return this.#loadAgain(space, seat.guests);
    const actor = this.#hydrated(space, stored);
    if (actor === undefined) return;
    this.#parts.lift(actor);
    this.#seats.set(space, { kind: 'open', guests: seat.guests, actor });
    this.#parts.tally.add('spaces_loaded');
    if (seat.guests.size === 0) this.#idle.add(space);
    for (const guest of seat.guests) guest.spaceReady(actor);
  }

  loadFailed(space: SpaceId, error: OxbowError): void {
    const seat = this.#seats.get(space);
    if (seat?.kind !== 'loading') return;
    this.#parts.effects.log('error', 'space-unreadable', { space, reason: error.message });
    this.#refuse(space, 'space-unreadable', `The server cannot read '${space}' now. Its log says why.`);
  }

  #refuse(space: SpaceId, code: string, message: string): void {
    const guests = this.guests(space);
    this.#seats.delete(space);
    for (const guest of guests) guest.spaceRefused(space, code, message);
  }

  #hydrated(space: SpaceId, stored: StoredSpace | undefined): SpaceActor | undefined {
    try {
      return new SpaceActor(space, this.#parts.actorConfig, stored);
    } catch (error) {
      if (!(error instanceof OxbowError)) throw error;
      if (error.code === 'app-older') this.#refuse(space, error.code, error.message);
      else this.loadFailed(space, error);
      return undefined;
    }
  }

  /**
   * Entries of the space were chosen that its actor did not execute. True: it is in use with a
   * state that lacks them. What is being loaded may lack them, too, and is loaded again.
   */
  isOutdated(space: SpaceId): boolean {
    const seat = this.#seats.get(space);
    if (seat?.kind === 'loading') seat.isVoid = true;
    return seat?.kind === 'open';
  }

  /** Another leads: what was executed here may never be chosen. Guests are gone already. */
  forget(): void {
    for (const [space, seat] of this.#seats) {
      if (seat.kind === 'loading') seat.isVoid = true;
      else this.#seats.delete(space);
    }
    this.#idle.clear();
  }

  /** Nobody to load it for: whoever wanted it was refused meanwhile. */
  #loadAgain(space: SpaceId, guests: Set<Guest>): void {
    if (guests.size > 0) return this.#load(space, guests);
    this.#seats.delete(space);
  }

  #join(seat: Seat, space: SpaceId, guest: Guest): void {
    seat.guests.add(guest);
    if (seat.kind !== 'open') return;
    this.#idle.delete(space);
    guest.spaceReady(seat.actor);
  }

  #load(space: SpaceId, guests: Set<Guest>): void {
    this.#seats.set(space, { kind: 'loading', guests, isVoid: false });
    this.#parts.effects.loadSpace(space);
  }

  #dropIdle(): boolean {
    for (const space of this.#idle) {
      if ((this.actor(space)?.entriesInFlight ?? 0) > 0) continue;
      this.#idle.delete(space);
      this.#seats.delete(space);
      this.#parts.tally.add('spaces_dropped');
      return true;
    }
    return false;
  }
}

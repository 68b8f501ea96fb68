/**
 * The server as one synchronous machine: links and their rights, spaces and their actors, batches
 * towards the commit log, feed towards subscribers. Every input is a method; what follows comes out
 * through `NodeEffects`.
 */
import { Guard } from '@oxbow/sdk/guard';
import { invariant, isLinkUrl } from '@oxbow/sdk/protocol';
import type { Hello, OxbowError, SpaceId } from '@oxbow/sdk/protocol';
import type { LogLeadership } from '../log/commit-log.js';
import type { SpaceActor } from '../space/actor.js';
import type { SpaceEntries, StoredSpace } from '../space/state-store.js';
import { Barriers } from './barriers.js';
import type { NodeConfig } from './config.js';
import type { Claims, LinkId, NodeEffects, Refusal } from './effects.js';
import { Link } from './link.js';
import type { LinkOwner, Refused } from './link.js';
import { Pipeline } from './pipeline.js';
import { SpaceDirectory } from './space-directory.js';
import { Tally } from './tally.js';

export type { NodeConfig, Utf8 } from './config.js';

export interface NodeGauges {
  readonly links: number;
  readonly spaces: number;
  readonly slotsInFlight: number;
  readonly entriesInFlight: number;
  readonly slotsUnapplied: number;
  readonly linksWaiting: number;
}

type Phase =
  /** The log is being replayed. */
  | { readonly kind: 'starting' }
  /** Chosen slots go to the state store; clients are sent to the leader. */
  | { readonly kind: 'following'; readonly refused: Refused }
  | { readonly kind: 'leading' }
  /** Still the one who decides, until what was accepted is settled. */
  | { readonly kind: 'draining' }
  | { readonly kind: 'drained' };

const STARTING: Refused = {
  code: 'server-starting', message: 'The server is reading its log. Try again.', isPassing: true,
};
const STOPPING: Refused = {
  code: 'server-stopping', message: 'The server stops. Try again.', isPassing: true,
};
const ASTRAY: Refused = {
  code: 'not-leader', message: 'What was under way here did not come about. Try again.', isPassing: true, retryMs: 0,
};

export class NodeMachine {
  readonly #config: NodeConfig;
  readonly #effects: NodeEffects;
  readonly #tally = new Tally();
  readonly #pipeline: Pipeline;
  readonly #directory: SpaceDirectory;
  readonly #owner: LinkOwner;
  readonly #links = new Map<LinkId, Link>();
  readonly #linksByReplica = new Map<string, Link>();
  readonly #barriers: Barriers;
  #phase: Phase = { kind: 'starting' };
  #now = 0;
  #isTicking = false;
  #isTurnAsked = false;
  /** With something to send at the end of the turn. */
  #toPump = new Set<Link>();
  /** With newly chosen entries in this turn. */
  #changed = new Set<SpaceId>();
  readonly #waitingLinks = new Set<Link>();
  #waitingChars = 0;

  constructor(config: NodeConfig, effects: NodeEffects) {
    const { limits, app, dev, utf8, appliedSlot } = config;
    this.#config = config;
    this.#effects = effects;
    this.#pipeline = new Pipeline({ limits, utf8, appliedSlot }, effects);
    const guard = new Guard(({ mutation, touched }) =>
      effects.log('warn', 'mutation-not-deterministic', { mutation, touched }));
    this.#directory = new SpaceDirectory({
      actorConfig: { app, dev, limits, ...(dev ? { guard } : {}) },
      limits, effects, tally: this.#tally,
      lift: (actor) => this.#lift(actor),
    });
    this.#barriers = new Barriers({ roundsMax: limits.barrierRoundsMax }, effects);
    this.#owner = this.#linkOwner();
  }

  /** A client has connected; it has yet to say who it is. */
  linkOpened(link: LinkId, now: number): void {
    this.#begin(now);
    invariant(!this.#links.has(link), 'link numbers are never used twice');
    const opened = new Link(link, this.#owner);
    const isRoom = this.#links.size < this.#config.limits.linksMax;
    this.#links.set(link, opened);
    this.#tally.add('links_opened');
    if (!isRoom) {
      opened.refuse({ code: 'too-many-links', message: 'The server has as many links as it can.', isPassing: true });
    }
    if (!this.#isTicking) this.#wake();
  }

  /** Never throws, whatever the text is. */
  frame(link: LinkId, text: string, now: number): void {
    this.#begin(now);
    this.#tally.add('frames_received');
    this.#links.get(link)?.onFrame(text);
  }

  linkClosed(link: LinkId, now: number): void {
    this.#begin(now);
    this.#links.get(link)?.end('link-closed');
  }

  /** Answer to `NodeEffects.verify`. */
  verified(link: LinkId, result: Claims | Refusal, now: number): void {
    this.#begin(now);
    this.#links.get(link)?.onVerified(result);
  }

  /** `stored` undefined: the space has never been written. */
  spaceLoaded(space: SpaceId, stored: StoredSpace | undefined, now: number): void {
    this.#begin(now);
    this.#directory.loaded(space, stored);
  }

  spaceLoadFailed(space: SpaceId, error: OxbowError, now: number): void {
    this.#begin(now);
    this.#directory.loadFailed(space, error);
  }

  /**
   * From the commit log, in slot order. `payload` undefined: the slot changes nothing. `tag`
   * undefined: not proposed in this leadership. Errors: `bad-message`, which is fatal.
   */
  chosen(
    slot: number, payload: Uint8Array | undefined, tag: number | undefined, now: number,
  ): void {
    this.#begin(now);
    const { batches, sinceMs, isVoid } = this.#pipeline.chosen(slot, payload, tag);
    let count = 0;
    for (const { entries } of batches) count += entries.length;
    this.#tally.add('entries_committed', count);
    if (sinceMs !== undefined) return this.#chosenHere(batches, count, now - sinceMs);
    const isOutdated = batches.filter(({ space }) => this.#directory.isOutdated(space)).length > 0;
    if (isVoid || isOutdated) this.#startAnew(ASTRAY);
  }

  /** From the commit log: the first time after everything was replayed. */
  leadership(leadership: LogLeadership, now: number): void {
    this.#begin(now);
    const { kind } = this.#phase;
    if (kind === 'drained') return;
    if (leadership.kind === 'leading') {
      if (kind !== 'draining') this.#phase = { kind: 'leading' };
      return;
    }
    const refused = this.#notLeader(leadership.leader?.clientUrl);
    this.#startAnew(refused);
    if (kind === 'draining') this.#finishDrain();
    else this.#phase = { kind: 'following', refused };
  }

  /**
   * The log takes no proposal: it has ceased to lead, and has not said so yet, or is fuller than
   * our bounds foresaw.
   */
  proposalRefused(code: string, now: number): void {
    this.#begin(now);
    this.#effects.log('warn', 'proposal-refused', { code });
    this.#startAnew({ ...ASTRAY, retryMs: this.#config.limits.noLeaderRetryMs });
  }

  /** Answer to `NodeEffects.barrier`. `slot` undefined: this node does not decide any more. */
  barrierDone(tag: number, slot: number | undefined, now: number): void {
    this.#begin(now);
    this.#barriers.done(tag, slot);
  }

  /**
   * The log behind the state was gone everywhere: the state store holds another state now, which
   * stands at `slot`.
   */
  stateReplaced(slot: number, now: number): void {
    this.#begin(now);
    this.#pipeline.stateReplaced(slot);
    this.#startAnew(ASTRAY);
  }

  /** The state store stands at `slot`, surely on disk. */
  applied(slot: number, now: number): void {
    this.#begin(now);
    this.#pipeline.applied(slot);
  }

  tick(now: number): void {
    this.#begin(now);
    for (const link of this.#links.values()) link.tick();
    this.#wake();
  }

  /** Everything that arrived together has been given in: propose it, tell subscribers. */
  endTurn(now: number): void {
    this.#now = now;
    this.#takeWaiting();
    this.#pipeline.propose();
    for (const space of this.#changed) {
      for (const guest of this.#directory.guests(space)) guest.spaceChanged(space);
    }
    for (const link of this.#toPump) link.pump();
    this.#toPump = emptied(this.#toPump);
    this.#barriers.maybeAskLog();
    this.#tally.add('barriers_answered', this.#barriers.answer(this.#pipeline.chosenSlot));
    for (const space of this.#changed) this.#directory.actor(space)?.releaseSnapshot();
    this.#changed = emptied(this.#changed);
    this.#maybeDrained();
    this.#tally.tell(this.#effects);
    this.#isTurnAsked = false;
  }

  /** Take no more work, finish what is in flight, then `NodeEffects.drained`. */
  drain(now: number): void {
    this.#begin(now);
    switch (this.#phase.kind) {
      case 'leading':
        this.#phase = { kind: 'draining' };
        return;
      case 'starting':
        this.#refuseAll(STOPPING);
        this.#phase = { kind: 'draining' };
        return;
      case 'following':
        // What a leader still sends us is its business; we owe nobody anything.
        return this.#finishDrain();
      case 'draining':
      case 'drained':
    }
  }

  gauges(): NodeGauges {
    return {
      links: this.#links.size,
      spaces: this.#directory.size,
      slotsInFlight: this.#pipeline.slotsInFlight,
      entriesInFlight: this.#pipeline.entriesInFlight,
      slotsUnapplied: this.#pipeline.slotsUnapplied,
      linksWaiting: this.#waitingLinks.size,
    };
  }

  #lift(actor: SpaceActor): void {
    const { space } = actor;
    const done = actor.lift(this.#now, ({ code, message }) =>
      this.#effects.log('error', 'row-not-migrated', { space, code, reason: message }));
    for (const { entry, chars } of done) this.#pipeline.add(space, entry, chars, this.#now);
    if (done.length > 0) {
      const { version } = this.#config.app;
      this.#effects.log('info', 'space-migrated', { space, version, commits: done.length });
    }
  }

  #begin(now: number): void {
    this.#now = now;
    if (this.#isTurnAsked) return;
    this.#isTurnAsked = true;
    this.#effects.endTurnSoon();
  }

  #wake(): void {
    this.#isTicking = this.#links.size > 0;
    this.#effects.wakeAt(this.#isTicking ? this.#now + this.#config.limits.tickMs : undefined);
  }

  #takeWaiting(): void {
    if (this.#waitingLinks.size === 0) return;
    // In the order in which they began to wait; who is not done goes to the end.
    for (const link of [...this.#waitingLinks]) {
      if (this.#owner.isFull()) return;
      this.#waitingLinks.delete(link);
      link.drainWaiting();
      if (link.waitingChars > 0) this.#waitingLinks.add(link);
    }
  }

  #maybeDrained(): void {
    if (this.#phase.kind === 'draining' && this.#pipeline.isIdle) this.#finishDrain();
  }

  #finishDrain(): void {
    this.#phase = { kind: 'drained' };
    this.#refuseAll(STOPPING);
    this.#effects.drained();
  }

  /** Executed here, chosen now: subscribers are told at the end of the turn. */
  #chosenHere(batches: readonly SpaceEntries[], count: number, commitMs: number): void {
    for (const { space, entries } of batches) {
      for (const { outcome } of entries) {
        if (outcome.kind === 'rejected') this.#tally.add('entries_rejected');
      }
      this.#directory.actor(space)?.chosen(entries);
      this.#changed.add(space);
    }
    this.#effects.observe('commit_ms', commitMs);
    this.#effects.observe('slot_entries', count);
  }

  /**
   * What runs ahead of the log here is not what the log says, or nobody knows. Nothing of it was
   * told to anyone; what was chosen is in the state store or on its way, and is read from there.
   * Clients come back, and resend.
   */
  #startAnew(refused: Refused): void {
    this.#refuseAll(refused);
    this.#barriers.forget();
    this.#pipeline.forget();
    this.#directory.forget();
  }

  #notLeader(clientUrl: string | undefined): Refused {
    const refused = { code: 'not-leader', isPassing: true, retryMs: this.#config.limits.noLeaderRetryMs };
    if (clientUrl === undefined) {
      return { ...refused, message: 'No server leads at present. Try again.' };
    }
    if (isLinkUrl(clientUrl)) {
      return { ...refused, message: 'Another server leads.', redirect: clientUrl };
    }
    this.#effects.log('warn', 'client-url-invalid', { clientUrl });
    return { ...refused, message: 'Another server leads; its address for clients is not valid.' };
  }

  #refuseAll(why: Refused): void {
    for (const link of [...this.#links.values()]) link.refuse(why);
  }

  #linkOwner(): LinkOwner {
    return {
      config: this.#config,
      now: () => this.#now,
      isFull: () => this.#phase.kind !== 'leading' || this.#pipeline.isFull,
      closedFor: () => this.#closedFor(),
      send: (link, frame) => {
        this.#tally.add('frames_sent');
        this.#effects.send(link, frame);
      },
      verify: (link, { token, replica }: Hello) => this.#effects.verify(link.id, token, replica),
      onLive: (link) => this.#seat(link),
      wantSpace: (space, link) => this.#directory.want(space, link),
      leaveSpace: (space, link) => this.#directory.leave(space, link),
      barrier: (link, space, id) => this.#barriers.ask(link, space, id),
      chosenCsn: (space) => this.#directory.actor(space)?.chosenCsn,
      onExecuted: (actor, entry, chars) =>
        this.#pipeline.add(actor.space, entry, chars, this.#now),
      pumpSoon: (link) => this.#toPump.add(link),
      waitingChanged: (link, byChars) => this.#waitingChanged(link, byChars),
      closed: (link, code) => this.#closed(link, code),
      count: (counter) => this.#tally.add(counter),
      log: (level, event, fields) => this.#effects.log(level, event, fields),
    };
  }

  #closedFor(): Refused | undefined {
    switch (this.#phase.kind) {
      case 'leading':
        return undefined;
      case 'following':
        return this.#phase.refused;
      case 'starting':
        return STARTING;
      case 'draining':
      case 'drained':
        return STOPPING;
    }
  }

  /**
   * One link per replica: a client that comes back has lost its former link, whether we know it or
   * not.
   */
  #seat(link: Link): Refused | undefined {
    const closedFor = this.#closedFor();
    if (closedFor !== undefined) return closedFor;
    const { replica } = link;
    invariant(replica !== undefined, 'a live link has a replica');
    const former = this.#linksByReplica.get(replica);
    if (former !== undefined && former.user !== link.user) {
      return { code: 'replica-not-yours', message: `Replica '${replica}' is another user's.` };
    }
    former?.refuse({ code: 'superseded', message: 'The replica has a newer link.', isPassing: true });
    this.#linksByReplica.set(replica, link);
    return undefined;
  }

  #waitingChanged(link: Link, byChars: number): boolean {
    this.#waitingChars += byChars;
    if (link.waitingChars > 0) this.#waitingLinks.add(link);
    else this.#waitingLinks.delete(link);
    return this.#waitingChars <= this.#config.limits.waitingCharsMax;
  }

  #closed(link: Link, code: string): void {
    this.#links.delete(link.id);
    this.#toPump.delete(link);
    const { replica } = link;
    if (replica === undefined) this.#tally.add('links_refused');
    else if (this.#linksByReplica.get(replica) === link) this.#linksByReplica.delete(replica);
    if (code === 'link-closed') return;
    this.#effects.log('info', 'link-ended', { link: link.id, code });
    this.#effects.closeLink(link.id, code);
  }
}

/**
 * Of what is filled and emptied every turn. `clear` would do the same, but engines link the table
 * that it drops to the new one, and once an old one has grown old, all later ones stay with it, and
 * what they held, until all memory is searched for garbage: several kilobytes for each update.
 */
const emptied = <T>(set: Set<T>): Set<T> => (set.size === 0 ? set : new Set());

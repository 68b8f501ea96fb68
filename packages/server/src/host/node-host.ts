/**
 * The only loop of a node: gives the machine what happens, carries out what it asks. All of the
 * world comes in as drivers, so that the simulation runs this very code on virtual time with
 * simulated disks and links.
 *
 * Frames that arrive in one turn of the event loop are handled together: `soon` runs the machine's
 * end of turn when the turn is over, and what came until then shares one slot of the log.
 */
import type { AppDefinition } from '@oxbow/sdk/model';
import { OxbowError, type ReplicaId, type SpaceId } from '@oxbow/sdk/protocol';
import type { Verifier } from '../drivers/auth.js';
import type { Logger } from '../drivers/log.js';
import type { Gauges, Meter } from '../drivers/metrics.js';
import type { ServerLink, ServerLinkEvents } from '../drivers/server-link.js';
import type { CommitLog, CommitLogEvents } from '../log/commit-log.js';
import type { Counter, Histogram, LinkId, LogLevel, NodeEffects } from '../node/effects.js';
import { nodeLimits, type NodeLimits } from '../node/limits.js';
import { NodeMachine } from '../node/machine.js';
import type { MemberId } from '../paxos/ballot.js';
import { baseFromText } from '../paxos/codec/base-text.js';
import type { SpaceEntries, StateStore, StorePlace } from '../space/state-store.js';
import type { HostClock } from './host-clock.js';
import { Wake } from './wake.js';

export interface NodeHostParts {
  readonly app: AppDefinition;
  readonly clock: HostClock;
  readonly log: CommitLog;
  readonly store: StateStore;
  readonly verifier: Verifier;
  readonly logger: Logger;
  readonly meter?: Meter;
  /** Freeze rows and report nondeterminism of mutations. */
  readonly dev: boolean;
  readonly limits?: NodeLimits;
}

export interface NodeHostEvents {
  /** The log has been replayed: clients are served, or sent to the leader. */
  ready(): void;
  /** The log that this node needs is gone everywhere: fetch the state from there. */
  stateNeeded?(from: MemberId): void;
  /** Nothing more is acknowledged; all links have been closed. Told once. */
  failed(error: OxbowError): void;
}

export type HostState = 'new' | 'starting' | 'ready' | 'draining' | 'stopped' | 'failed';

type Input = (machine: NodeMachine, now: number) => void;

const EMPTY_GAUGES = {
  links: 0, spaces: 0, slotsInFlight: 0, entriesInFlight: 0, slotsUnapplied: 0, linksWaiting: 0,
};
const DEAF: ServerLinkEvents = { received: () => undefined, closed: () => undefined };

export class NodeHost {
  readonly #parts: NodeHostParts;
  readonly #events: NodeHostEvents;
  readonly #wake: Wake;
  readonly #links = new Map<LinkId, ServerLink>();
  #state: HostState = 'new';
  #machine: NodeMachine | undefined;
  #lastLink = 0;
  /** The machine is at work; what a driver says meanwhile waits its turn. */
  #isInside = false;
  readonly #queued: Input[] = [];
  /** What a full log did not take, in order. */
  readonly #unproposed: { readonly payload: Uint8Array; readonly tag: number }[] = [];
  #drained: (() => void) | undefined;
  /** Whoever waits for the end of a stop. */
  #stopped: (() => void) | undefined;

  constructor(parts: NodeHostParts, events: NodeHostEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#wake = new Wake(parts.clock, () => this.#input((machine, now) => machine.tick(now)));
  }

  get state(): HostState {
    return this.#state;
  }

  /** Opens the state, replays the log behind it, then serves: `ready` or `failed` follows. */
  start(): void {
    this.#state = 'starting';
    this.#parts.store.opened((at, error) => {
      if (this.#state !== 'starting') return;
      if (error !== undefined) this.#fail(error);
      else this.#startLog(at);
    });
  }

  /** A client has connected. */
  accept(link: ServerLink): ServerLinkEvents {
    if (this.#machine === undefined || this.#isOver()) {
      link.close(this.#state === 'starting' ? 'server-starting' : 'server-stopping');
      return DEAF;
    }
    const id = ++this.#lastLink;
    this.#links.set(id, link);
    this.#input((machine, now) => machine.linkOpened(id, now));
    return {
      received: (frame) => {
        if (!this.#links.has(id)) return;
        this.#input((machine, now) => machine.frame(id, frame, now));
      },
      closed: (code) => {
        if (!this.#links.delete(id)) return;
        this.#parts.meter?.linkClosed(code);
        this.#input((machine, now) => machine.linkClosed(id, now));
      },
    };
  }

  /**
   * Takes no more work, finishes what is in flight, closes log and store. After `done` nothing of
   * this host runs any more. On a failed node only the store is closed.
   */
  stop(done: () => void): void {
    if (this.#state === 'stopped') return done();
    if (this.#state === 'failed') return this.#parts.store.close(done);
    this.#state = 'draining';
    this.#stopped = done;
    this.#drained = () => {
      this.#drained = undefined;
      this.#parts.log.stop(() => this.#closeStore());
    };
    if (this.#machine === undefined) this.#drained();
    else this.#input((machine, now) => machine.drain(now));
  }

  gauges(): Gauges {
    return {
      ...(this.#machine?.gauges() ?? EMPTY_GAUGES),
      logBytesInFlight: this.#parts.log.inFlightBytes,
      ready: this.#state === 'ready',
    };
  }

  #startLog({ appliedSlot, history, isBound, base }: StorePlace): void {
    try {
      this.#parts.log.start({
        slot: appliedSlot,
        cluster: isBound ? history : undefined,
        base: base === undefined ? undefined : baseFromText(base),
      }, this.#logEvents(appliedSlot));
    } catch (error) {
      this.#fail(error);
    }
  }

  #logEvents(appliedSlot: number): CommitLogEvents {
    return {
      onJoined: (cluster) => this.#joined(cluster, appliedSlot),
      onChosen: (slot, payload, tag) => {
        this.#input((machine, now) => machine.chosen(slot, payload, tag, now));
        this.#proposeAgain();
      },
      onLeadership: (leadership) => {
        // Made by a leadership that is over.
        this.#unproposed.length = 0;
        this.#input((machine, now) => machine.leadership(leadership, now));
        if (this.#state !== 'starting') return;
        this.#state = 'ready';
        this.#events.ready();
      },
      onConfigured: () => undefined,
      onStateNeeded: (from) => this.#events.stateNeeded?.(from),
      onStateReplaced: (slot) =>
        this.#input((machine, now) => machine.stateReplaced(slot, now)),
      onLost: (error) => this.#fail(error),
      onFatal: (error) => this.#fail(error),
    };
  }

  /** The cluster is the history that clients see; the state belongs to it from now on. */
  #joined(cluster: string, appliedSlot: number): void {
    const { app, dev, store, limits = nodeLimits } = this.#parts;
    const utf8 = { encode: encodeUtf8, decode: decodeUtf8 };
    const config = { app, history: cluster, appliedSlot, dev, limits, utf8 };
    this.#machine = new NodeMachine(config, this.#effects());
    store.bind(cluster, (error) => {
      if (error !== undefined) this.#fail(error);
    });
  }

  /**
   * One synchronous step of the machine. A throw out of it is a bug: the node stops rather than
   * guess.
   */
  #input(input: Input): void {
    if (this.#isOver()) return;
    if (this.#isInside) {
      this.#queued.push(input);
      return;
    }
    this.#isInside = true;
    try {
      let next: Input | undefined = input;
      while (next !== undefined && this.#machine !== undefined && !this.#isOver()) {
        next(this.#machine, this.#parts.clock.now());
        next = this.#queued.shift();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isInside = false;
    }
  }

  #effects(): NodeEffects {
    const { clock, log, logger, meter } = this.#parts;
    return {
      send: (link, frame) => this.#links.get(link)?.send(frame),
      closeLink: (link, code) => this.#closeLink(link, code),
      verify: (link, token, replica) => this.#verify(link, token, replica),
      loadSpace: (space) => this.#loadSpace(space),
      propose: (payload, tag) => this.#propose(payload, tag),
      barrier: (tag) => log.barrier((slot) =>
        this.#input((machine, now) => machine.barrierDone(tag, slot, now))),
      apply: (slot, batches) => this.#apply(slot, batches),
      trim: (slot) => log.trim(slot),
      wakeAt: (atMs) => this.#wake.at(atMs),
      endTurnSoon: () => clock.soon(() => this.#input((machine, now) => machine.endTurn(now))),
      drained: () => this.#drained?.(),
      log: (level: LogLevel, event, fields) => logger.log(level, event, fields),
      count: (counter: Counter, by) => meter?.count(counter, by),
      observe: (histogram: Histogram, value) => meter?.observe(histogram, value),
    };
  }

  #propose(payload: Uint8Array, tag: number): void {
    if (this.#unproposed.length > 0 || !this.#isTaken(payload, tag)) {
      this.#unproposed.push({ payload, tag });
    }
  }

  /**
   * False: the log is full. What it refuses was made on top of all that is on its way there, and
   * must follow it: nothing may be made anew from a state that lacks what is yet to be chosen.
   */
  #isTaken(payload: Uint8Array, tag: number): boolean {
    try {
      this.#parts.log.propose(payload, tag);
    } catch (error) {
      if (!(error instanceof OxbowError)) throw error;
      if (error.code === 'log-full') return false;
      if (error.code !== 'not-leader') throw error;
      this.#unproposed.length = 0;
      this.#input((machine, now) => machine.proposalRefused(error.code, now));
    }
    return true;
  }

  /** Something was chosen: there may be room again. */
  #proposeAgain(): void {
    for (let [first] = this.#unproposed; first !== undefined; [first] = this.#unproposed) {
      if (!this.#isTaken(first.payload, first.tag)) return;
      this.#unproposed.shift();
    }
  }

  #closeLink(id: LinkId, code: string): void {
    const link = this.#links.get(id);
    if (link === undefined) return;
    this.#links.delete(id);
    this.#parts.meter?.linkClosed(code);
    link.close(code);
  }

  #verify(link: LinkId, token: string | undefined, replica: ReplicaId): void {
    this.#parts.verifier.verify(token, replica, (result) =>
      this.#input((machine, now) => machine.verified(link, result, now)));
  }

  /** Behind what is to be applied. */
  #loadSpace(space: SpaceId): void {
    const { log, store } = this.#parts;
    log.flushed(() => store.load(space, (stored, error) =>
      this.#input((machine, now) => {
        if (error === undefined) machine.spaceLoaded(space, stored, now);
        else machine.spaceLoadFailed(space, asOxbowError(error), now);
      })));
  }

  #apply(slot: number, batches: readonly SpaceEntries[]): void {
    const { log, store } = this.#parts;
    log.flushed(() => store.apply(slot, batches, (error) => {
      if (error === undefined) this.#input((machine, now) => machine.applied(slot, now));
      else this.#fail(error);
    }));
  }

  #fail(cause: unknown): void {
    if (this.#isOver()) return;
    const error = asOxbowError(cause);
    this.#end('failed');
    this.#parts.logger.log('error', 'node-failed', { code: error.code, error });
    this.#events.failed(error);
    if (this.#stopped !== undefined) this.#parts.store.close(this.#stopped);
  }

  #closeStore(): void {
    if (this.#isOver()) return;
    this.#parts.store.close(() => {
      this.#end('stopped');
      this.#stopped?.();
    });
  }

  #end(state: 'stopped' | 'failed'): void {
    this.#state = state;
    this.#wake.at(undefined);
    this.#queued.length = 0;
    for (const link of this.#links.values()) link.close(state === 'failed' ? 'server-failed' : 'server-stopping');
    this.#links.clear();
  }

  #isOver(): boolean {
    return this.#state === 'failed' || this.#state === 'stopped';
  }
}

function encodeUtf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

function decodeUtf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** What a driver or the machine threw at us, with a code. */
function asOxbowError(cause: unknown): OxbowError {
  if (cause instanceof OxbowError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new OxbowError('invariant', `The node stopped at an error that nobody foresaw: ${why}`, { cause });
}

/**
 * A node among others: links, the cluster machine and the log, put together. It decides nothing:
 * links tell the machine who is there, the machine tells the log when it may begin and who its
 * peers are, and the log tells the machine who governs. Frames of Paxos pass through unread.
 */
import { invariant, OxbowError } from '@oxbow/sdk/protocol';
import {
  controlFrame, decodeClusterMessage, encodeClusterMessage, type ClusterMessage, type Position,
} from '../cluster/cluster-message.js';
import type { Belonging, ClusterEffects, Disk, Order, OrderResult } from '../cluster/effects.js';
import { ClusterMachine } from '../cluster/machine.js';
import type { NodeList } from '../cluster/node-list.js';
import { makeMemberId } from '../cluster/node-name.js';
import type { PeerChannel, PeerLinks } from '../cluster/peer-link.js';
import type { Logger } from '../drivers/log.js';
import type { MemberNote, MemberNotes } from '../drivers/member-note.js';
import type { JoinedRecord } from '../log/member-disk.js';
import type { PeerPort, PeerPortEvents } from '../log/peer-port.js';
import type { MemberId } from '../paxos/ballot.js';
import type { Member, Membership } from '../paxos/configuration.js';
import type { HostClock } from './host-clock.js';

export interface ClusterHostParts {
  readonly node: string;
  readonly peerAddress: string;
  readonly clientUrl: string;
  readonly list: NodeList;
  readonly version: string;
  /** Undefined: a node that stays alone. */
  readonly links: PeerLinks | undefined;
  readonly notes: MemberNotes;
  readonly clock: HostClock;
  /** 16 random characters of a-z and 0-9. */
  readonly randomText: () => string;
  /** A random uuid. */
  readonly randomCluster: () => string;
  readonly logger: Logger;
  /** The log of a node that belongs to a cluster is gone. */
  readonly lost: (error: OxbowError) => void;
  /** What this node says of its progress. */
  readonly position: () => Omit<Position, 'kind' | 'loopLagMs' | 'wallMs'>;
}

/** What the machine orders of the log. */
export interface GovernedLog {
  change(next: Membership): void;
  transfer(to: MemberId): void;
}

/** The bulk channel, by member. */
export interface BulkEvents {
  linked(member: MemberId, isUp: boolean): void;
  frame(from: MemberId, bytes: Uint8Array): void;
}

/** What another node said of itself, and when. */
export interface HeardPosition extends Position {
  readonly heardAtMs: number;
  /** Its wall clock minus ours, give or take half a round trip. */
  readonly clockOffsetMs: number;
}

const TICK_MS = 200;
/** Positions leave at every n-th tick. */
const POSITION_TICKS = 2;
/** Advice that has stood for so many ticks is worth a line in the log. */
const ADVICE_TICKS = 15;
/** The lateness of the loop is remembered for so many ticks. */
const LAG_TICKS = 25;

const PAXOS = new Uint8Array([controlFrame.paxos]);
const CLUSTER = new Uint8Array([controlFrame.cluster]);

export class ClusterHost {
  readonly peers: PeerPort;
  readonly #parts: ClusterHostParts;
  #machine: ClusterMachine | undefined;
  #log: GovernedLog | undefined;
  #formed: ((joined: JoinedRecord) => void) | undefined;
  #portEvents: PeerPortEvents | undefined;
  #bulkEvents: BulkEvents | undefined;
  readonly #memberByName = new Map<string, MemberId>();
  readonly #nameByMember = new Map<MemberId, string>();
  readonly #bulkUp = new Set<string>();
  readonly #positions = new Map<string, HeardPosition>();
  readonly #orders = new Map<number, (result: OrderResult) => void>();
  #lastOrder = 0;
  #ticks = 0;
  #tickDueMs = 0;
  #cancelTick = (): void => undefined;
  readonly #lags: number[] = [];
  #advice = { code: '', ticks: 0 };
  #isOver = false;

  constructor(parts: ClusterHostParts) {
    this.#parts = parts;
    this.peers = {
      start: (events) => this.#startPort(events),
      configured: (configuration) => this.#machine?.configured(configuration),
      send: (to, bytes) => this.#send(to, 'control', PAXOS, bytes),
    };
  }

  get machine(): ClusterMachine | undefined {
    return this.#machine;
  }

  get positions(): ReadonlyMap<string, HeardPosition> {
    return this.#positions;
  }

  /** By how much the loop was late at most, within the last seconds, ms. */
  get loopLagMs(): number {
    return Math.max(0, ...this.#lags);
  }

  get links(): PeerLinks | undefined {
    return this.#parts.links;
  }

  govern(log: GovernedLog): void {
    this.#log = log;
  }

  /** The log has nothing of its own yet: it waits until this node belongs somewhere. */
  form(slot: number, done: (joined: JoinedRecord) => void): void {
    this.#formed = done;
    const note = this.#parts.notes.read();
    if (note?.kind === 'member' && note.isLogged) this.#parts.lost(logGone(note.cluster));
    else if (note?.kind === 'member') this.#start(memberDisk(this.#selfOf(note.id), note));
    else if (note?.kind === 'forgetful') this.#start(note);
    else this.#start({ kind: 'fresh', slot, id: note?.id ?? this.#newId() });
  }

  /** The log has begun, now or long ago. */
  joined(cluster: string, self: Member): void {
    const { notes } = this.#parts;
    const note = notes.read();
    const isKnown = note?.kind === 'member' && note.id === self.id && note.cluster === cluster;
    const first = isKnown ? note.first : undefined;
    if (!isKnown || !note.isLogged) notes.write({ kind: 'member', id: self.id, cluster, first, isLogged: true });
    if (this.#machine === undefined) {
      this.#start({ kind: 'member', belonging: { cluster, self: this.#selfOf(self.id), first } });
    }
  }

  leads(isLeading: boolean): void {
    this.#machine?.leadership(isLeading);
  }

  /** What this node promised is not all there any more: from the next start on it is another. */
  forget(cluster: string): void {
    const id = makeMemberId(this.#parts.node, this.#parts.randomText());
    this.#parts.notes.write({ kind: 'forgetful', id, cluster });
  }

  order(order: Order, done: (result: OrderResult) => void): void {
    if (this.#machine === undefined) {
      done({ code: 'not-leader', message: 'This node is starting. Try again in a moment.' });
      return;
    }
    const tag = ++this.#lastOrder;
    this.#orders.set(tag, done);
    this.#machine.order(order, tag);
  }

  bulk(events: BulkEvents): void {
    this.#bulkEvents = events;
    for (const name of this.#bulkUp) this.#tellBulk(name, true);
  }

  sendBulk(to: MemberId, bytes: Uint8Array): boolean {
    return this.#send(to, 'bulk', bytes);
  }

  stop(done: () => void): void {
    this.#isOver = true;
    this.#cancelTick();
    this.#answerAll({ code: 'server-stopping', message: 'This node stops. It is not known whether the order took effect.' });
    if (this.#parts.links === undefined) done();
    else this.#parts.links.stop(done);
  }

  #start(disk: Disk): void {
    const { node, peerAddress, clientUrl, list, version, links, randomCluster } = this.#parts;
    const newCluster = randomCluster();
    this.#machine = new ClusterMachine(
      { node, peerAddress, clientUrl, list, version, newCluster, disk }, this.#effects());
    links?.start({
      linked: (name, channel) => this.#linked(name, channel, true),
      cut: (name, channel) => this.#linked(name, channel, false),
      frame: (name, channel, bytes) => this.#frame(name, channel, bytes),
    });
    this.#machine.start();
    this.#tickDueMs = this.#parts.clock.now() + TICK_MS;
    this.#cancelTick = this.#parts.clock.after(TICK_MS, () => this.#tick());
  }

  #effects(): ClusterEffects {
    const { links, logger } = this.#parts;
    return {
      want: (peers) => links?.want(new Map([...peers].filter(([, address]) => address.includes(':')))),
      send: (name, message) => this.#tell(name, message),
      persist: (belonging) => this.#persist(belonging),
      join: (belonging) => this.#join(belonging),
      memberLinked: (id, name, isUp) => this.#memberLinked(id, name, isUp),
      change: (next) => this.#ask(
        (log) => log.change(next), (code, why) => this.#machine?.changeFailed(code, why)),
      transfer: (to) => this.#ask(
        (log) => log.transfer(to), (code) => logger.log('warn', 'transfer-failed', { code, to })),
      answer: (tag, result) => this.#answer(tag, result),
      log: (level, event, fields) => logger.log(level, event, fields),
    };
  }

  #persist({ cluster, self, first }: Belonging): void {
    this.#parts.notes.write({ kind: 'member', id: self.id, cluster, first, isLogged: false });
    // Not in this turn: the machine is at work.
    this.#parts.clock.soon(() => this.#machine?.persisted());
  }

  #join(belonging: Belonging): void {
    const formed = this.#formed;
    this.#formed = undefined;
    if (formed !== undefined) formed(joinedRecord(belonging));
  }

  #ask(task: (log: GovernedLog) => void, refused: (code: string, why: string) => void): void {
    try {
      if (this.#log !== undefined) task(this.#log);
    } catch (error) {
      if (!(error instanceof OxbowError)) throw error;
      refused(error.code, error.message);
    }
  }

  #linked(name: string, channel: PeerChannel, isUp: boolean): void {
    if (channel === 'bulk') {
      if (isUp) this.#bulkUp.add(name);
      else this.#bulkUp.delete(name);
      this.#tellBulk(name, isUp);
      return;
    }
    if (isUp) this.#machine?.linked(name);
    else this.#machine?.cut(name);
    if (!isUp) this.#positions.delete(name);
  }

  #frame(name: string, channel: PeerChannel, bytes: Uint8Array): void {
    const member = this.#memberByName.get(name);
    if (channel === 'bulk') {
      if (member !== undefined) this.#bulkEvents?.frame(member, bytes);
      return;
    }
    if (bytes[0] === controlFrame.paxos) {
      if (member !== undefined) this.#portEvents?.frame(member, bytes.subarray(1));
      return;
    }
    const isOurs = bytes[0] === controlFrame.cluster;
    const message = isOurs ? decodeClusterMessage(textOf(bytes.subarray(1))) : undefined;
    if (message === undefined) this.#parts.logger.log('warn', 'bad-message', { peer: name });
    else if (message.kind === 'position') this.#heard(name, message);
    else this.#machine?.message(name, message);
  }

  #heard(name: string, position: Position): void {
    const now = this.#parts.clock.now();
    const link = this.#parts.links?.states()
      .find((state) => state.name === name && state.channel === 'control');
    const clockOffsetMs = position.wallMs + (link?.roundTripMs ?? 0) / 2 - now;
    this.#positions.set(name, { ...position, heardAtMs: now, clockOffsetMs });
  }

  #memberLinked(id: MemberId, name: string, isUp: boolean): void {
    if (isUp) {
      this.#memberByName.set(name, id);
      this.#nameByMember.set(id, name);
    } else {
      this.#memberByName.delete(name);
      this.#nameByMember.delete(id);
    }
    this.#portEvents?.linked(id, isUp);
    if (this.#bulkUp.has(name)) this.#bulkEvents?.linked(id, isUp);
  }

  #tellBulk(name: string, isUp: boolean): void {
    const member = this.#memberByName.get(name);
    if (member !== undefined) this.#bulkEvents?.linked(member, isUp);
  }

  #startPort(events: PeerPortEvents): void {
    this.#portEvents = events;
    for (const id of this.#nameByMember.keys()) events.linked(id, true);
  }

  #send(to: MemberId, channel: PeerChannel, ...parts: readonly Uint8Array[]): boolean {
    const name = this.#nameByMember.get(to);
    return name !== undefined && this.#parts.links?.send(name, channel, ...parts) === true;
  }

  #tell(name: string, message: ClusterMessage): void {
    this.#parts.links?.send(name, 'control', CLUSTER, Buffer.from(encodeClusterMessage(message)));
  }

  #tick(): void {
    if (this.#isOver) return;
    const { clock } = this.#parts;
    const now = clock.now();
    this.#lags.push(Math.max(0, now - this.#tickDueMs));
    if (this.#lags.length > LAG_TICKS) this.#lags.shift();
    this.#ticks += 1;
    this.#govern();
    if (this.#ticks % POSITION_TICKS === 0) this.#tellPosition(now);
    this.#maybeAdvise();
    this.#tickDueMs = clock.now() + TICK_MS;
    this.#cancelTick = clock.after(TICK_MS, () => this.#tick());
  }

  #govern(): void {
    const applied = new Map<MemberId, number>();
    for (const [name, id] of this.#memberByName) {
      const position = this.#positions.get(name);
      if (position !== undefined) applied.set(id, position.appliedSlot);
    }
    this.#machine?.tick(this.#parts.position().chosenSlot, applied);
  }

  #tellPosition(wallMs: number): void {
    const message: Position = {
      ...this.#parts.position(), kind: 'position', loopLagMs: this.loopLagMs, wallMs,
    };
    for (const name of this.#machine?.heard.keys() ?? []) this.#tell(name, message);
  }

  /** Once when it has stood for a while: most of it passes in the moment of a start. */
  #maybeAdvise(): void {
    const advice = this.#machine?.advice();
    const isSame = advice?.code === this.#advice.code;
    this.#advice = { code: advice?.code ?? '', ticks: isSame ? this.#advice.ticks + 1 : 0 };
    if (advice === undefined || this.#advice.ticks !== ADVICE_TICKS) return;
    this.#parts.logger.log('warn', advice.code, { message: advice.message });
  }

  #answer(tag: number, result: OrderResult): void {
    const done = this.#orders.get(tag);
    this.#orders.delete(tag);
    done?.(result);
  }

  #answerAll(result: OrderResult): void {
    for (const tag of [...this.#orders.keys()]) this.#answer(tag, result);
  }

  #newId(): MemberId {
    const id = makeMemberId(this.#parts.node, this.#parts.randomText());
    this.#parts.notes.write({ kind: 'fresh', id });
    return id;
  }

  #selfOf(id: MemberId): Member {
    const { node: name, peerAddress, clientUrl } = this.#parts;
    return { id, name, peerAddress, clientUrl };
  }
}

function memberDisk(self: Member, { cluster, first }: MemberNote & { kind: 'member' }): Disk {
  return { kind: 'member', belonging: { cluster, self, first } };
}

function logGone(cluster: string): OxbowError {
  const message = `This node belongs to cluster ${cluster} and its log is gone. Put the log's files back, or let ` +
    'the node be filled anew by the others.';
  return new OxbowError('log-behind-state', message);
}

/** A founder goes on from the state it was given; everyone else begins at nothing and is filled. */
function joinedRecord({ cluster, self, first }: Belonging): JoinedRecord {
  invariant(first !== undefined, 'who begins a log knows the first configuration');
  const isFounder = first.voters.length === 1 && first.voters[0]?.id === self.id;
  const slot = isFounder ? first.fromSlot - 1 : 0;
  const configuration = { ...first, fromSlot: slot + 1 };
  return { kind: 'joined', cluster, self: self.id, base: { slot, configuration, epoch: undefined } };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

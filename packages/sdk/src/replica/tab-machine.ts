/**
 * One tab of a browser profile as a machine: keeper of the profile's disk and network, or a tab
 * that leaves both to the keeper. It rides along in a replica's machine (machine.ts), which does
 * not know of it: the same log, the same exchange, the same receipts in either role, so that the
 * role can change at any moment without the app seeing it.
 *
 * As keeper it takes links from the other tabs and serves them as a server would, with two
 * differences: what they bring stays here until it is on disk, and they are told how far what is
 * the profile's has come. As a tab its only link is the one to the keeper.
 */
import type { AppDefinition } from '../model/index.js';
import {
  decodeMessage, OxbowError, seatId, updateKey,
  type Ack, type Barrier, type Message, type ReplicaId, type SpaceId, type SpaceMessage,
} from '../protocol/index.js';
import { fromDisk, toDisk } from './bring-together.js';
import { conflictText, readConflict, readUndo, undoText } from './conflict-text.js';
import type { ConflictRecord } from './conflict.js';
import type { LinkId } from './effects.js';
import { Guest } from './guest.js';
import type { Stall } from './health.js';
import type { SpaceReading } from './layout-reading.js';
import type { Companion, MachineInsides } from './machine.js';
import { Peer, type SpaceRefusal } from './peer.js';
import type { Profile } from './profile.js';
import type { LinkHealth } from './session.js';
import type { Place, SpaceSlot } from './space-slot.js';
import { SpaceReplica } from './space.js';
import {
  becomeFollower, becomeKeeper, followRename, forgetConflict, forgetUnkept, isBeingRenamed,
  isSeatKept, keptOf, rename, replaceConflicts, takeSeat, takeUndos, toldKept,
} from './tab-side.js';
import type { KeeperStatus, StorageStatus, TabWord } from './tab-word.js';

export interface TabConfig<A extends AppDefinition> {
  readonly insides: MachineInsides<A>;
  readonly seat: number;
  readonly isKeeper: boolean;
  /** Which of the machine's transports leads to the keeper; all others are the keeper's. */
  readonly toKeeper: number;
  readonly out: TabEffects;
}

export interface TabEffects {
  /** To the other end of that link, after the frames that were sent before. */
  word(link: LinkId, word: TabWord): void;
  /** A tab wants a space that is not open here: open it from disk, if there is room. */
  want(space: SpaceId): void;
  /** All that the keeper had of the space is here: the app may have it. */
  ready(space: SpaceId): void;
  /** Another tab asks to go offline, or online again. */
  online(isOnline: boolean): void;
  storage(): StorageStatus;
}

/** What a guest was told last, by space. */
interface Told {
  stages: number;
  conflicts: readonly ConflictRecord[] | undefined;
  profile: ReplicaId;
}

interface Served {
  readonly guest: Guest;
  readonly seat: number;
  peer: Peer | undefined;
  /** Spaces that it has asked for. */
  readonly wanted: Set<SpaceId>;
  readonly told: Map<SpaceId, Told>;
  status: string;
}

export class TabMachine<A extends AppDefinition = AppDefinition> implements Companion {
  readonly #insides: MachineInsides<A>;
  readonly #config: TabConfig<A>;
  readonly #served = new Map<LinkId, Served>();
  #isKeeper: boolean;
  #isLeaving = false;
  #status: KeeperStatus | undefined;
  /** The app wants the profile on- or offline, and the keeper has not said that it is. */
  #wish: boolean | undefined;
  /** What each link to the keeper has been told of acknowledged conflicts and losses. */
  #said = new Set<string>();
  #saidOn: LinkId | undefined;

  constructor(config: TabConfig<A>) {
    this.#config = config;
    this.#insides = config.insides;
    this.#isKeeper = config.isKeeper;
    this.#useTransports();
  }

  get place(): Place {
    return { seat: this.#config.seat, isKeeper: this.#isKeeper };
  }

  get isKeeper(): boolean {
    return this.#isKeeper;
  }

  /** What the keeper has said last; undefined while we are it, or have heard nothing. */
  get status(): KeeperStatus | undefined {
    return this.#isKeeper ? undefined : this.#status;
  }

  /** Who the profile is, to be told to other tabs. */
  get profile(): Profile {
    return this.#insides.identity.profile;
  }

  get spaces(): readonly SpaceId[] {
    return [...this.#insides.slots.keys()];
  }

  /** The app may have it: all that was ever written under our seat is known. */
  isReady(space: SpaceId): boolean {
    return this.#insides.slots.get(space)?.replica.insides.state.seat !== undefined;
  }

  get isOnline(): boolean {
    if (this.#isKeeper) return this.#insides.sessions.isOnline;
    return this.#wish ?? this.#status?.isOnline ?? true;
  }

  /** Our links end because we close: the profile does not go offline by that. */
  leave(): void {
    this.#isLeaving = true;
  }

  /** Of the whole profile, whoever keeps it. */
  setOnline(isOnline: boolean, now: number): void {
    this.#insides.turn(now, () => {
      const { sessions, owner } = this.#insides;
      if (!this.#isKeeper) this.#wish = isOnline;
      else if (isOnline) sessions.goOnline(now);
      else sessions.goOffline();
      owner.onHealth();
    });
  }

  /** Of the keeper's links, while there is one to it. */
  get links(): readonly LinkHealth[] | undefined {
    if (this.#isKeeper || this.#upstream === undefined) return undefined;
    return this.#status?.links;
  }

  get saveStall(): Stall | undefined {
    const code = this.status?.storage.failing;
    return code === undefined
      ? undefined
      : { code, message: `The tab that keeps the store cannot save at present: ${code}.` };
  }

  refusalOf(space: SpaceId): SpaceRefusal | undefined {
    return this.status?.refusals?.find((refusal) => refusal.space === space);
  }

  get deadlineMs(): number {
    let next = Infinity;
    for (const { guest, peer } of this.#served.values()) {
      next = Math.min(next, guest.deadlineMs, peer?.deadlineMs ?? Infinity);
    }
    return next;
  }

  /** Everything that was written here is on the keeper's disk. */
  get isKept(): boolean {
    return [...this.#insides.slots.values()].every(({ replica }) => isSeatKept(replica));
  }

  // ---- the role

  /** The disk is ours, and this is what it holds of the open spaces. */
  becomeKeeper(
    profile: Profile | undefined, readings: ReadonlyMap<SpaceId, SpaceReading>, now: number,
  ): void {
    this.#insides.turn(now, () => {
      const { identity, sessions, slots, owner } = this.#insides;
      const isOnline = this.isOnline;
      this.#isKeeper = true;
      this.#status = undefined;
      this.#wish = undefined;
      identity.adopt(profile);
      for (const slot of slots.values()) {
        const reading = readings.get(slot.space);
        if (reading !== undefined) this.#adopt(slot, reading);
      }
      this.#useTransports();
      if (!isOnline) sessions.goOffline();
      sessions.ensure(identity.replica, now);
      for (const slot of slots.values()) this.#insides.attach(slot);
      owner.onHealth();
    });
  }

  /** Another tab has the disk: what is not on it goes there by way of that tab. */
  becomeFollower(now: number): void {
    this.#insides.turn(now, () => {
      const { saving, slots, sessions, identity, owner } = this.#insides;
      this.#isKeeper = false;
      this.#isLeaving = false;
      for (const { guest } of [...this.#served.values()]) guest.cut('another tab keeps the disk');
      saving.startOver();
      for (const slot of slots.values()) {
        slot.keepNowhere();
        becomeFollower(slot.replica);
      }
      this.#useTransports();
      sessions.goOnline(now);
      sessions.ensure(identity.replica, now);
      owner.onHealth();
    });
  }

  // ---- links of other tabs

  /** Another tab asks for a link; a seat has one. */
  accept(seat: number, now: number): LinkId {
    const { out, app, nextNumber, identity } = this.#insides;
    const link = nextNumber();
    this.#insides.turn(now, () => {
      for (const former of [...this.#served.values()]) {
        if (former.seat === seat) former.guest.cut('the tab has a newer link');
      }
      const guest = new Guest({
        link, app: app.name, now, out,
        owner: {
          get user() {
            return identity.user;
          },
          onLive: (live) => this.#onLive(live),
          onGone: () => {
            this.#served.delete(link);
          },
        },
      });
      this.#served.set(link, {
        guest, seat, peer: undefined, wanted: new Set(), told: new Map(), status: '',
      });
    });
    return link;
  }

  frame(link: LinkId, text: string): boolean {
    const served = this.#served.get(link);
    if (served === undefined) return false;
    const { guest } = served;
    const message = this.#decoded(guest, text);
    if (message === undefined || !guest.onMessage(message, this.#insides.now)) return true;
    if (message.kind === 'barrier') this.#onBarrier(guest, message);
    // reason: a guest keeps to itself what does not concern spaces.
    else this.#toPeer(served, message as SpaceMessage | Ack, text.length);
    return true;
  }

  linkClosed(link: LinkId): boolean {
    const served = this.#served.get(link);
    served?.guest.closed();
    if (served === undefined && !this.#isKeeper) this.#keeperGone();
    return served !== undefined;
  }

  #keeperGone(): void {
    for (const { replica } of this.#insides.slots.values()) forgetUnkept(replica);
  }

  /** From a tab that we serve. */
  word(link: LinkId, word: TabWord, now: number): void {
    this.#insides.turn(now, () => { if (this.#served.has(link)) this.#onTabsWord(word); });
  }

  wordFromKeeper(word: TabWord, now: number): void {
    this.#insides.turn(now, () => { if (this.#upstream !== undefined) this.#onKeepersWord(word); });
  }

  // ---- what the machine tells

  onNews(space: SpaceId): void {
    for (const { peer } of this.#served.values()) peer?.changed(space);
  }

  onOpened(space: SpaceId): void {
    for (const served of this.#served.values()) this.#join(served, space);
  }

  /** The keeper issues anew what it holds and gives another id; we follow when we hold that. */
  onLost(space: SpaceId): void {
    const slot = this.#insides.slots.get(space);
    const upstream = this.#upstream;
    if (slot === undefined || upstream === undefined) return;
    const { nextProfile } = slot.replica.insides.state;
    if (nextProfile === undefined) return this.#sayOnce(`lost ${space}`, { kind: 'lost', space });
    if (slot.takeLinkDoubt()) {
      upstream.peer.session.cut('the profile has another id', this.#insides.now);
    } else if (this.#holdsAll(slot, upstream.peer)) {
      this.#followRename(slot);
    }
  }

  flush(): void {
    const { now, slots } = this.#insides;
    for (const served of this.#served.values()) {
      for (const space of served.wanted) if (!served.told.has(space)) this.#join(served, space);
      served.peer?.pump(now);
      this.#tell(served);
    }
    if (this.#isKeeper) return;
    const isOnline = this.#wish;
    if (isOnline !== undefined) this.#sayOnce(`online ${isOnline}`, { kind: 'online', isOnline });
    for (const slot of slots.values()) {
      this.#maybeSeat(slot);
      for (const [key, id] of slot.acknowledged) {
        this.#sayOnce(`${slot.space} ${key}`, { kind: 'acknowledged', space: slot.space, id });
      }
    }
  }

  tick(): void {
    const { now } = this.#insides;
    for (const { guest, peer } of [...this.#served.values()]) {
      guest.tick(now);
      if (peer !== undefined && now >= peer.deadlineMs) peer.tick(now);
    }
  }

  // ---- as keeper

  #onLive(guest: Guest): void {
    const { now, out, owner } = this.#insides;
    const served = this.#served.get(guest.link);
    if (served === undefined) return;
    served.peer = new Peer({
      session: guest, now, owner,
      send: (frame) => out.send(guest.link, frame),
      wanted: (space) => this.#onWanted(served, space),
      peerIn: (space) => seatId(this.#profileIn(space.space), served.seat),
    });
    owner.flushSoon();
  }

  #onWanted(served: Served, space: SpaceId): void {
    served.wanted.add(space);
    if (this.#insides.slots.has(space)) this.#join(served, space);
    else this.#config.out.want(space);
  }

  #join(served: Served, space: SpaceId): void {
    const slot = this.#insides.slots.get(space);
    if (slot === undefined || served.peer === undefined || !served.wanted.has(space)) return;
    if (isBeingRenamed(slot.replica)) return;
    const { profile } = slot.replica;
    this.#config.out.word(served.guest.link, { kind: 'seat', space, profile });
    served.told.set(space, { stages: -1, conflicts: undefined, profile });
    served.peer.join(slot, this.#insides.now);
  }

  #profileIn(space: SpaceId): ReplicaId {
    return this.#insides.slots.get(space)?.replica.profile ?? this.#insides.identity.replica;
  }

  #onBarrier(guest: Guest, { space, id }: Barrier): void {
    const slot = this.#insides.slots.get(space);
    if (slot === undefined) {
      return guest.send({ kind: 'barrier-failed', space, id, code: 'space-not-open' });
    }
    this.#insides.read(space, () =>
      guest.send({ kind: 'barrier-at', space, id, csn: slot.replica.head.csn }));
  }

  #toPeer({ guest, peer }: Served, message: SpaceMessage | Ack, chars: number): void {
    const isToSave = message.kind === 'commits' || message.kind === 'updates';
    if (isToSave && !this.#insides.saving.mayTake(chars)) return guest.cut('the disk has to catch up first');
    peer?.onMessage(message, chars, this.#insides.now);
  }

  /** What the tab does not know yet of its spaces, and of us. */
  #tell(served: Served): void {
    const { guest, told } = served;
    if (!guest.isLive) return;
    const say = (word: TabWord): void => this.#config.out.word(guest.link, word);
    for (const [space, last] of told) {
      const slot = this.#insides.slots.get(space);
      if (slot === undefined) continue;
      const { replica } = slot;
      if (replica.profile !== last.profile) {
        last.profile = replica.profile;
        say({ kind: 'seat', space, profile: replica.profile });
      }
      if (replica.stages.raised !== last.stages) {
        last.stages = replica.stages.raised;
        say({ kind: 'kept', space, ...keptOf(replica) });
      }
      const conflicts = replica.conflicts();
      if (conflicts === last.conflicts) continue;
      const isFirst = last.conflicts === undefined;
      last.conflicts = conflicts;
      say({
        kind: 'conflicts', space, records: conflicts.map(conflictText),
        ...(isFirst && { undos: replica.insides.state.undos.list.map(undoText) }),
      });
    }
    if (this.#isLeaving) return;
    const status = this.#ownStatus();
    const text = JSON.stringify(status);
    if (text === served.status) return;
    served.status = text;
    say({ kind: 'status', ...status });
  }

  #ownStatus(): KeeperStatus {
    const { identity, sessions, slots } = this.#insides;
    const refusals = [...slots.values()].flatMap((slot) => {
      const refusal = this.#insides.refusalOf(slot);
      return refusal === undefined ? [] : [{ ...refusal, space: slot.space }];
    });
    return {
      profile: identity.profile, isOnline: sessions.isOnline, links: sessions.health(), refusals,
      storage: this.#config.out.storage(),
    };
  }

  #onTabsWord(word: TabWord): void {
    switch (word.kind) {
      case 'acknowledged': {
        const slot = this.#insides.slots.get(word.space);
        if (slot !== undefined) forgetConflict(slot.replica, word.id);
        return;
      }
      case 'lost':
        return this.#insides.slots.get(word.space)?.replica.disown('cloned');
      case 'online':
        return this.#config.out.online(word.isOnline);
      default:
        // A tab of another build may say what we do not know.
        return;
    }
  }

  /** The disk's part of a space and ours become one, and the disk is told what it lacks. */
  #adopt(slot: SpaceSlot<A>, reading: SpaceReading): void {
    const { replica: memory } = slot;
    const { state } = memory.insides;
    const disk = this.#diskOf(slot, reading);
    rename(memory, disk.profile);
    fromDisk(memory, disk);
    // Of nobody in particular: all that the disk has.
    toldKept(memory, { saved: disk.insides.state.ground.log.seen(disk.replica), shared: {} });
    if (state.nextProfile !== undefined) this.#followRename(slot);
    const fresh = toDisk(memory, disk);
    for (const id of slot.acknowledged.values()) disk.dismiss(id);
    slot.acknowledged.clear();
    replaceConflicts(memory, disk.conflicts());
    takeUndos(memory, disk.insides.state.undos.list);
    state.noteFormer([...disk.insides.state.former, ...state.former]);
    slot.keepIn(reading.layout, fresh);
    becomeKeeper(memory);
    const { log } = state.ground;
    log.withdraw(fresh.flatMap(({ id }) => log.get(id) ?? []).filter(({ own }) => own));
    state.heldChanged();
    if (state.seat === undefined) this.#seated(slot);
    const lost = disk.lost ?? memory.lost;
    if (lost !== undefined) slot.withhold(lost);
  }

  /** What the disk holds of a space, as a replica of its own for a moment. */
  #diskOf({ space, replica: memory }: SpaceSlot<A>, reading: SpaceReading): SpaceReplica<A> {
    const { app, dev, identity, owner } = this.#insides;
    return new SpaceReplica<A>({
      app, dev, space, user: identity.user, seat: undefined, isKeeper: false,
      replica: reading.stored?.head.replica ?? memory.profile,
      stored: reading.stored,
      owner: {
        changes: reading.layout, flushSoon: () => undefined, pump: () => undefined,
        identityLost: () => undefined, report: (error) => owner.report(error),
      },
    });
  }

  // ---- as a tab

  get #upstream(): { readonly link: LinkId; readonly peer: Peer } | undefined {
    if (this.#isKeeper) return undefined;
    for (const [link, peer] of this.#insides.peers) return { link, peer };
    return undefined;
  }

  #onKeepersWord(word: TabWord): void {
    switch (word.kind) {
      case 'status':
        return this.#onStatus(word);
      case 'seat':
      case 'kept':
      case 'conflicts': {
        const slot = this.#insides.slots.get(word.space);
        if (slot !== undefined) this.#onSpaceWord(slot, word);
        return;
      }
      default:
        return;
    }
  }

  #onSpaceWord(
    slot: SpaceSlot<A>, word: Extract<TabWord, { readonly kind: 'seat' | 'kept' | 'conflicts' }>,
  ): void {
    switch (word.kind) {
      case 'seat':
        return rename(slot.replica, word.profile);
      case 'kept':
        return toldKept(slot.replica, word);
      case 'conflicts': {
        const records = word.records.map(readConflict);
        const keys = new Set(records.map(({ id }) => updateKey(id)));
        for (const key of slot.acknowledged.keys()) {
          if (!keys.has(key)) slot.acknowledged.delete(key);
        }
        const isOpen = ({ id }: ConflictRecord): boolean => !slot.acknowledged.has(updateKey(id));
        takeUndos(slot.replica, (word.undos ?? []).map(readUndo));
        return replaceConflicts(slot.replica, records.filter(isOpen));
      }
    }
  }

  #onStatus(status: KeeperStatus): void {
    const { identity, slots, owner } = this.#insides;
    this.#status = status;
    if (status.isOnline === this.#wish) this.#wish = undefined;
    if (this.#wish === undefined) for (const key of ['online true', 'online false']) this.#said.delete(key);
    // The link stays as it is, whatever id new spaces get.
    const isOther = identity.told({ ...status.profile, replica: identity.replica });
    if (isOther) for (const slot of slots.values()) slot.replica.setUser(identity.user);
    owner.onHealth();
  }

  /** Writing begins when all is here that was written under our seat before. */
  #maybeSeat(slot: SpaceSlot<A>): void {
    const upstream = this.#upstream;
    if (slot.replica.insides.state.seat !== undefined || upstream === undefined) return;
    if (this.#holdsAll(slot, upstream.peer)) this.#seated(slot);
  }

  #seated(slot: SpaceSlot<A>): void {
    takeSeat(slot.replica, this.#config.seat);
    this.#config.out.ready(slot.space);
  }

  #holdsAll({ space, replica, self }: SpaceSlot<A>, peer: Peer): boolean {
    const told = peer.toldOf(space);
    if (told === undefined) return false;
    const { state } = replica.insides;
    const { history, csn, vector } = told.theirs;
    if (state.history !== history || state.csn < csn) return false;
    // reason: Object.entries forgets the branded key type.
    const held = Object.entries(vector) as [ReplicaId, number][];
    return held.every(([id, seq]) => state.knownSeq(id) >= seq)
      && (state.seat !== undefined || state.knownSeq(self) >= told.knownSeq);
  }

  #followRename(slot: SpaceSlot<A>): void {
    followRename({ insides: slot.replica.insides, reissue: (profile) => slot.reissue(profile) });
  }

  /** Once on each link. */
  #sayOnce(key: string, word: TabWord): void {
    const link = this.#upstream?.link;
    if (link === undefined) return;
    if (this.#saidOn !== link) this.#said.clear();
    this.#saidOn = link;
    if (this.#said.has(key)) return;
    this.#said.add(key);
    this.#config.out.word(link, word);
  }

  // ---- inside

  /** As keeper all but the way to the keeper, as a tab that alone. */
  #useTransports(): void {
    const { toKeeper } = this.#config;
    this.#insides.sessions.use((transport) => (transport === toKeeper) !== this.#isKeeper);
  }

  #decoded(guest: Guest, text: string): Message | undefined {
    try {
      return decodeMessage(text);
    } catch (error) {
      if (!(error instanceof OxbowError)) throw error;
      guest.refuse(error);
      return undefined;
    }
  }
}

/** A session over a replica: the one place where the calendar's screens meet the SDK. */
import { indexedDb, openReplica, OxbowError, server } from '@oxbow/sdk';
import type { Conflict, PendingUpdate, ReadTx, Receipt, Replica, Space } from '@oxbow/sdk';
import { calendar } from '../app.js';
import { LENGTH_MAX_MS, type Booking, type Room } from '../shapes.js';
import { personOf } from '../starter.js';
import type { Clock } from '../time/clock.js';
import type { ListedNotice } from '../view/Notices.js';
import { noticeOf, type ConflictFacts, type Names } from '../view/notices.js';
import type { SyncState, WaitingItem } from '../view/SyncStatus.js';
import type { Outlook, Session, Store } from './session.js';
import { derivedStore, liveStore } from './stores.js';
import { linkOf, waitingText, warningOf } from './sync-words.js';

type Calendar = typeof calendar;
type Team = Space<Calendar>;
type Tx = ReadTx<Calendar>;

export interface OpenSession {
  readonly space: string;
  readonly me: string;
  /** Of the nodes of one service; any of them may be down. */
  readonly serverUrls: readonly string[];
  /** By which times are told. */
  readonly clock: Store<Clock>;
}

/** Errors: those of `openReplica`; `store-in-use` while another tab has this person's store. */
export async function openSession(options: OpenSession): Promise<Session> {
  const { space, me, serverUrls, clock } = options;
  const replica = await openReplica({
    app: calendar,
    // A store belongs to one person: two who share a browser do not write under one name.
    storage: indexedDb(`calendar-${me}`),
    sync: [server(serverUrls, { token: `dev:${me}` })],
    user: me,
  });
  const team = await replica.open(space);
  const session = sessionOf({ replica, team, me, clock });
  if (!team.query((tx) => tx.person.has(me))) team.mutate.addPerson(personOf(me));
  return session;
}

interface Opened {
  readonly replica: Replica<Calendar>;
  readonly team: Team;
  readonly me: string;
  readonly clock: Store<Clock>;
}

/** Bookings that take place within [from, to), those included that began before. */
const between = (tx: Tx, from: number, to: number): readonly Booking[] =>
  tx.booking
    .index('byStart')
    .between([from - LENGTH_MAX_MS], [to])
    .all()
    .filter((booking) => booking.end > from);

const byName = (a: Room, b: Room): number => a.name.localeCompare(b.name);

function namesOf(team: Team, clock: Clock): Names {
  return team.query((tx) => {
    const people = new Map(tx.person.all().map((p) => [p.id, p.name]));
    return {
      clock,
      rooms: tx.room.all(),
      personName: (id: string) => people.get(id) ?? id,
      bookingTitle: (id: string) => team.query((now) => now.booking.get(id)?.title),
    };
  });
}

/** Whatever becomes of a change is told in words; only a bug is thrown. */
function attempt({ team, clock }: Opened, mutate: () => Receipt): Outlook {
  try {
    const { name, args, outcome } = mutate();
    if (outcome.kind === 'unknown') return { kind: 'applied', reason: undefined };
    const isRefused = outcome.kind === 'rejected';
    const names = namesOf(team, clock.get());
    const reason = isRefused ? noticeOf({ name, args, outcome }, names).text : undefined;
    return { kind: outcome.kind, reason };
  } catch (error) {
    if (!(error instanceof OxbowError) || error.code === 'invariant') throw error;
    return { kind: 'rejected', reason: error.message };
  }
}

const noticeId = ({ id }: Conflict): string => `${id.replica}/${id.seq}`;

/** Newest first. */
function noticesOf({ team, clock }: Opened): Store<readonly ListedNotice[]> {
  const list = ([conflicts, told]: readonly [readonly Conflict[], Clock]) => {
    const names = namesOf(team, told);
    return conflicts
      .map((conflict) => ({ id: noticeId(conflict), notice: noticeOf(factsOf(conflict), names) }))
      .reverse();
  };
  return derivedStore(
    () => [team.conflicts, clock.get()],
    list,
    (fn) => {
      const stops = [team.subscribe(fn), clock.subscribe(fn)];
      return () => stops.forEach((stop) => stop());
    },
  );
}

const factsOf = ({ name, args, outcome }: Conflict): ConflictFacts => ({ name, args, outcome });

/** Booking id → number of the alternative that its pending update would get as things stand. */
function wishesOf(team: Team): Store<ReadonlyMap<string, number>> {
  const collect = ([pending]: readonly [readonly PendingUpdate[]]): ReadonlyMap<string, number> => {
    const wishes = new Map<string, number>();
    for (const { args, outcome } of pending) {
      const isNamed = typeof args === 'object' && args !== null && 'id' in args;
      if (outcome.kind === 'alternative' && isNamed) wishes.set(String(args.id), outcome.index + 1);
    }
    return wishes;
  };
  return derivedStore(
    () => [team.pending()],
    collect,
    (fn) => team.subscribe(fn),
  );
}

function waitingOf(team: Team, pending: readonly PendingUpdate[]): WaitingItem[] {
  const bookingTitle = (id: string) => team.query((tx) => tx.booking.get(id)?.title);
  return pending
    .filter(({ own }) => own)
    .map(({ id, name, args, outcome }) => ({
      id: `${id.replica}/${id.seq}`,
      text: waitingText(name, args, bookingTitle),
      outlook: outcome.kind,
    }));
}

function syncOf(replica: Replica<Calendar>, team: Team): Store<SyncState> {
  const { health } = team;
  return derivedStore(
    () => [
      team.pending(),
      replica.offline,
      linkOf(health.links),
      warningOf(health.storage, health.links),
      health.behind === 0,
      health.storage.status === 'ok',
    ],
    ([pending, byChoice, link, warning, upToDate, isKept]) => ({
      isKept,
      link,
      byChoice,
      upToDate,
      waiting: waitingOf(team, pending),
      warning,
    }),
    (fn) => {
      const stops = [team.subscribe(fn), health.subscribe(fn)];
      return () => stops.forEach((stop) => stop());
    },
  );
}

function sessionOf(opened: Opened): Session {
  const { replica, team, me } = opened;
  const { mutate } = team;
  return {
    space: team.id,
    me,
    rooms: liveStore(() => team.live((tx) => tx.room.all().toSorted(byName))),
    people: liveStore(() => team.live((tx) => tx.person.all())),
    sync: syncOf(replica, team),
    notices: noticesOf(opened),
    wishes: wishesOf(team),
    bookings: (from, to, view) =>
      liveStore(() => team.live((tx) => between(tx, from, to), { view })),
    bookingsBetween: (from, to) => team.query((tx) => between(tx, from, to)),
    booking: (id) => {
      const booking = team.query((tx) => tx.booking.get(id));
      if (booking === undefined) return undefined;
      const isPending = team
        .pending()
        .some(({ effects }) => effects.some(({ row }) => row?.['id'] === id));
      return { booking, committed: !isPending };
    },
    book: (booking) => attempt(opened, () => mutate.book(booking)),
    move: (move) => attempt(opened, () => mutate.move(move)),
    edit: (change) => attempt(opened, () => mutate.edit(change)),
    cancel: (id) => void attempt(opened, () => mutate.cancel({ id })),
    addRoom: (room) => void attempt(opened, () => mutate.addRoom(room)),
    dismissAll: () => [...team.conflicts].forEach((conflict) => conflict.dismiss()),
    dismiss: (id) => team.conflicts.find((conflict) => noticeId(conflict) === id)?.dismiss(),
    goOffline: () => replica.goOffline(),
    goOnline: () => replica.goOnline(),
    close: () => replica.close(),
  };
}

/** A session over a replica: the one place where the calendar's screens meet the SDK. */
import { indexedDb, openReplica, OxbowError, server, tabs } from '@oxbow/sdk';
import type { Receipt, Replica } from '@oxbow/sdk';
import { calendar } from '../app.js';
import { personOf } from '../starter.js';
import type { Clock } from '../time/clock.js';
import { noticeOf } from '../view/notices.js';
import {
  allPeople, allRooms, bookingsWithin, namesOf, noticeId, type Calendar, type Team,
} from './reading.js';
import type { Outlook, Session, Store } from './session.js';

export interface OpenSession {
  readonly space: string;
  readonly me: string;
  /** Of the nodes of one service; any of them may be down. */
  readonly serverUrls: readonly string[];
  /** By which times are told. */
  readonly clock: Store<Clock>;
}

/** Errors: those of `openReplica`. */
export async function openSession(options: OpenSession): Promise<Session> {
  const { space, me, serverUrls, clock } = options;
  const replica = await openReplica({
    app: calendar,
    // A store belongs to one person: two who share a browser do not write under one name.
    storage: indexedDb(`calendar-${me}`),
    // Pages that are not secure have no locks: there the calendar is open in one tab at a time.
    sync: [
      server(serverUrls, { token: `dev:${me}` }),
      ...('locks' in navigator ? [tabs()] : []),
    ],
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

/** Whatever becomes of a change is told in words; only a bug is thrown. */
function attempt({ team, clock }: Opened, mutate: () => Receipt): Outlook {
  try {
    const { name, args, outcome } = mutate();
    // Only of what was settled before; this is new.
    const isPast = outcome.kind === 'unknown' || outcome.kind === 'rolled-back';
    if (isPast) return { kind: 'applied', reason: undefined };
    const isRefused = outcome.kind === 'rejected';
    const names = namesOf(team, clock.get());
    const reason = isRefused ? noticeOf({ name, args, outcome }, names).text : undefined;
    return { kind: outcome.kind, reason };
  } catch (error) {
    if (!(error instanceof OxbowError) || error.code === 'invariant') throw error;
    return { kind: 'rejected', reason: error.message };
  }
}

function sessionOf(opened: Opened): Session {
  const { replica, team, me } = opened;
  const { mutate } = team;
  const conflictOf = (id: string) => team.conflicts.find((each) => noticeId(each) === id);
  return {
    space: team.id,
    me,
    team,
    replica,
    rooms: () => team.query(allRooms),
    people: () => team.query(allPeople),
    bookingsBetween: (from, to) => team.query((tx) => bookingsWithin(tx, from, to)),
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
    dismiss: (id) => conflictOf(id)?.dismiss(),
    accept: (id) => conflictOf(id)?.accept(),
    retry: (id, args) => {
      const conflict = conflictOf(id);
      return conflict && attempt(opened, () => conflict.retry({ ...args }));
    },
    repeat: (id) => {
      const conflict = conflictOf(id);
      if (conflict !== undefined) attempt(opened, () => conflict.retry());
    },
    goOffline: () => replica.goOffline(),
    goOnline: () => replica.goOnline(),
    close: () => replica.close(),
  };
}

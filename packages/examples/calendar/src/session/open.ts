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
import type { Outlook, Session, Store, Turning } from './session.js';
import { Steps, type Turned } from './steps.js';

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
  forgetNeedless(team);
  const session = sessionOf({ replica, team, me, clock, steps: new Steps() });
  if (!team.query((tx) => tx.person.has(me))) team.mutate.addPerson(personOf(me));
  return session;
}

interface Opened {
  readonly replica: Replica<Calendar>;
  readonly team: Team;
  readonly me: string;
  readonly clock: Store<Clock>;
  readonly steps: Steps;
}

/**
 * What was taken back before it was refused is refused with it. The one is told, the other is what
 * was wanted.
 */
function forgetNeedless(team: Team): void {
  const forget = (): void => {
    for (const conflict of [...team.conflicts]) {
      const { outcome } = conflict;
      if (outcome.kind === 'rejected' && outcome.code === 'dependency-refused') conflict.accept();
    }
  };
  team.subscribe(forget);
  forget();
}

/** Whatever becomes of a change is told in words; only a bug is thrown. */
function attempt(opened: Opened, mutate: () => Receipt): Outlook {
  try {
    const receipt = mutate();
    opened.steps.wrote(receipt);
    return outlookOf(opened, receipt);
  } catch (error) {
    if (!(error instanceof OxbowError) || error.code === 'invariant') throw error;
    return { kind: 'rejected', reason: error.message };
  }
}

function outlookOf({ team, clock }: Opened, { name, args, outcome }: Receipt): Outlook {
  // Only of what was settled before; this is new.
  const isPast = outcome.kind === 'unknown' || outcome.kind === 'rolled-back';
  if (isPast) return { kind: 'applied', reason: undefined };
  const isRefused = outcome.kind === 'rejected';
  const names = namesOf(team, clock.get());
  const reason = isRefused ? noticeOf({ name, args, outcome }, names).text : undefined;
  return { kind: outcome.kind, reason };
}

/** With what stands in the way of it here. */
function turningOf(opened: Opened, turned: Turned | undefined): Turning | undefined {
  if (turned === undefined) return undefined;
  const { words, refused, receipts } = turned;
  const inTheWay = receipts.map((receipt) => outlookOf(opened, receipt).reason)
    .find((reason) => reason !== undefined);
  return { words, refused: refused ?? inTheWay };
}

function sessionOf(opened: Opened): Session {
  const { replica, team, me, steps } = opened;
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
    steps,
    undo: () => turningOf(opened, steps.undo()),
    redo: () => turningOf(opened, steps.redo()),
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

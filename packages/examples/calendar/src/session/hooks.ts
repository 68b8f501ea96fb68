/** What the screens watch of a session, in the calendar's own words: the SDK's hooks beneath. */
import type { Conflict, PendingUpdate } from '@oxbow/sdk';
import { useConflicts, useHealth, useLive, usePending } from '@oxbow/sdk/react';
import { useMemo } from 'react';
import type { Booking, Person, Room } from '../shapes.js';
import type { ListedNotice } from '../view/Notices.js';
import { noticeOf, type Names } from '../view/notices.js';
import type { SyncState, WaitingItem } from '../view/SyncStatus.js';
import { useClock } from '../view/useClock.js';
import { allPeople, allRooms, bookingsWithin, namesOf, noticeId, type Team } from './reading.js';
import type { Session, View } from './session.js';
import { daysOf, linkOf, refusalOf, waitingText, warningOf } from './sync-words.js';

export const useRooms = ({ team }: Session): readonly Room[] => useLive(team, allRooms, []);

export const usePeople = ({ team }: Session): readonly Person[] => useLive(team, allPeople, []);

/** All that is known: for the search. */
export const useAllBookings = ({ team }: Session): readonly Booking[] =>
  useLive(team, (tx) => tx.booking.all(), []);

export interface Span {
  readonly from: number;
  readonly to: number;
  readonly view: View;
}

/** Bookings that take place within [from, to). */
export const useBookings = ({ team }: Session, { from, to, view }: Span): readonly Booking[] =>
  useLive(team, (tx) => bookingsWithin(tx, from, to), [from, to], { view });

/** Newest first. */
export function useNotices({ team }: Session): readonly ListedNotice[] {
  const conflicts = useConflicts(team);
  const clock = useClock();
  return useMemo(() => noticesOf(conflicts, namesOf(team, clock)), [team, conflicts, clock]);
}

/** Booking id → number of the alternative that its pending update would get as things stand. */
export function useWishes({ team }: Session): ReadonlyMap<string, number> {
  const pending = usePending(team);
  return useMemo(() => wishesOf(pending), [pending]);
}

export function useSync({ team, replica }: Session): SyncState {
  const pending = usePending(team);
  const health = useHealth(team, (now) => ({
    link: linkOf(now.links),
    warning: warningOf(now.storage, now.links, now.stalled),
    arriving: now.arriving,
    refused: refusalOf(now.stalled, now.links),
    waitingDays: daysOf(now.oldestPendingMs),
    upToDate: now.behind === 0,
    isKept: now.storage.status === 'ok',
    byChoice: replica.offline,
  }));
  return useMemo(
    () => ({ ...health, waiting: waitingOf(team, pending) }),
    [team, health, pending],
  );
}

function noticesOf(conflicts: readonly Conflict[], names: Names): readonly ListedNotice[] {
  return conflicts
    .map((conflict) => {
      const { name, args, outcome, obstacles } = conflict;
      const notice = noticeOf({ name, args, outcome, obstacles }, names);
      return { id: noticeId(conflict), notice };
    })
    .reverse();
}

function wishesOf(pending: readonly PendingUpdate[]): ReadonlyMap<string, number> {
  const wishes = new Map<string, number>();
  for (const { args, outcome } of pending) {
    const isNamed = typeof args === 'object' && args !== null && 'id' in args;
    if (outcome.kind === 'alternative' && isNamed) wishes.set(String(args.id), outcome.index + 1);
  }
  return wishes;
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

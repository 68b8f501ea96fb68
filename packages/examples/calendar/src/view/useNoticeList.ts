/** The inbox of moved and refused bookings: whether it is open, and what can be done there. */
import { useEffect, useState } from 'react';
import { useNotices } from '../session/hooks.js';
import type { Session } from '../session/session.js';
import { goToBooking } from './focus.js';
import type { NoticeActions } from './Notices.js';
import type { Board } from './useBoard.js';
import type { BookingDialogState } from './useBookingDialog.js';

interface NoticeListOptions {
  readonly session: Session;
  readonly board: Board;
  readonly dialog: BookingDialogState;
  /** The list covers the calendar. */
  readonly narrow: boolean;
}

/** The installed app's icon tells how many wait, where the platform can show it. */
function useAppBadge(count: number): void {
  useEffect(() => {
    if (!('setAppBadge' in navigator)) return;
    // A platform that has no place for a badge rejects; there is nothing to be done about it.
    navigator.setAppBadge(count).catch(() => undefined);
  }, [count]);
}

export function useNoticeList({ session, board, dialog, narrow }: NoticeListOptions) {
  const notices = useNotices(session);
  const [isOpen, setOpen] = useState(false);
  useAppBadge(notices.length);
  const find = (id: string) => notices.find((n) => n.id === id)?.notice;
  const actions: NoticeActions = {
    onTryAgain(id) {
      const listed = notices.find((n) => n.id === id);
      if (listed !== undefined) dialog.openRetry(listed);
    },
    onRepeat: session.repeat,
    onShow(id) {
      const notice = find(id);
      const slot = notice?.got ?? notice?.wanted;
      if (slot !== undefined) board.reveal(slot);
      if (notice?.bookingId !== undefined) goToBooking(notice.bookingId);
      if (narrow) setOpen(false);
    },
    onAccept: session.accept,
    onDismiss: session.dismiss,
    onDismissAll: session.dismissAll,
  };
  return { notices, isOpen, setOpen, actions };
}

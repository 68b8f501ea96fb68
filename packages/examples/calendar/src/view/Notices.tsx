/**
 * The bookings of mine that did not go as I asked: a list that stays until each is dismissed, and
 * a toast when one arrives. The list is the replica's own, durable one; the toast only says that
 * it has grown.
 */
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { rememberFocus } from './focus.js';
import { Icon } from './icons.js';
import type { Notice } from './notices.js';

export interface ListedNotice {
  readonly id: string;
  readonly notice: Notice;
}

export interface NoticeActions {
  onTryAgain(id: string): void;
  /** Asks for the same once more. */
  onRepeat(id: string): void;
  onShow(id: string): void;
  onAccept(id: string): void;
  onDismiss(id: string): void;
  onDismissAll(): void;
}

/** What came of a large import may be thousands; those below are shown when some have gone. */
const LISTED_MAX = 50;

function NoticeButtons({
  id,
  notice,
  actions,
}: ListedNotice & { readonly actions: NoticeActions }) {
  const moved = notice.kind === 'moved';
  return (
    <div className="row">
      {notice.isUndone && (
        <button
          type="button"
          className="primary"
          data-testid="notice-repeat"
          onClick={() => actions.onRepeat(id)}
        >
          Do it again
        </button>
      )}
      {notice.wanted !== undefined && !notice.isUndone && (
        <button
          type="button"
          className={moved ? '' : 'primary'}
          data-testid="notice-retry"
          onClick={() => actions.onTryAgain(id)}
        >
          {moved ? 'Find another time' : 'Try another time'}
        </button>
      )}
      {(notice.got ?? notice.wanted) !== undefined && (
        <button type="button" onClick={() => actions.onShow(id)}>
          Show
        </button>
      )}
      <button type="button" data-testid="notice-dismiss" onClick={() => (moved ? actions.onAccept(id) : actions.onDismiss(id))}>
        {moved ? 'Keep it' : 'Dismiss'}
      </button>
    </div>
  );
}

export function NoticePanel({
  notices,
  actions,
  onClose,
}: {
  readonly notices: readonly ListedNotice[];
  readonly actions: NoticeActions;
  onClose(): void;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const giveBack = rememberFocus();
    heading.current?.focus();
    return giveBack;
  }, []);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') onClose();
  };
  return (
    <aside
      className="notices"
      aria-label="Moved and refused bookings"
      data-testid="notices"
      onKeyDown={onKeyDown}
    >
      <header className="panel-head">
        <h2 ref={heading} tabIndex={-1}>
          What became of your bookings
        </h2>
        <button type="button" className="quiet" aria-label="Close the list" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {notices.length === 0 && (
        <p className="hint">
          Everything went as you asked. A booking that has to move or is refused is listed here.
        </p>
      )}
      <ul>
        {notices.slice(0, LISTED_MAX).map(({ id, notice }) => (
          <li
            key={id}
            className={`notice is-${notice.kind}`}
            data-testid="notice"
            data-kind={notice.kind}
            data-booking-id={notice.bookingId}
          >
            <Icon name={notice.kind} />
            <div>
              <h3>{notice.headline}</h3>
              <p>{notice.text}</p>
              <NoticeButtons id={id} notice={notice} actions={actions} />
            </div>
          </li>
        ))}
      </ul>
      {notices.length > LISTED_MAX && (
        <p className="hint">and {notices.length - LISTED_MAX} older ones</p>
      )}
      {notices.length > 3 && (
        <button type="button" data-testid="dismiss-all" onClick={actions.onDismissAll}>
          Dismiss all {notices.length}
        </button>
      )}
    </aside>
  );
}

const TOAST_MS = 8_000;

/**
 * Shows what was added to the list since the page was opened, for a while; nothing while the list
 * itself is open.
 */
export function Toasts({
  notices,
  muted,
  onOpen,
}: {
  readonly notices: readonly ListedNotice[];
  readonly muted: boolean;
  onOpen(): void;
}) {
  const [seen, setSeen] = useState<ReadonlySet<string>>(() => new Set(notices.map((n) => n.id)));
  const fresh = notices.filter((n) => !seen.has(n.id));
  const freshIds = fresh.map((n) => n.id).join(' ');
  useEffect(() => {
    if (freshIds === '') return;
    const timer = setTimeout(
      () => setSeen((old) => new Set([...old, ...freshIds.split(' ')])),
      TOAST_MS,
    );
    return () => clearTimeout(timer);
  }, [freshIds]);
  const shown = muted ? [] : fresh.slice(-3);
  return (
    <div className="toasts" role="status" aria-live="polite" data-testid="toasts">
      {shown.map(({ id, notice }) => (
        <button
          key={id}
          type="button"
          className={`toast is-${notice.kind}`}
          onClick={onOpen}
          data-testid="toast"
        >
          <Icon name={notice.kind} />
          <span>
            <strong>{notice.headline}</strong>
            <span>{notice.text}</span>
          </span>
        </button>
      ))}
    </div>
  );
}

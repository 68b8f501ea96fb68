/**
 * Whether this device is in touch with the server, what still waits to be sent, and the switch to
 * go offline.
 */
import type { FocusEvent } from 'react';
import { plural } from '../time/clock.js';
import { Icon } from './icons.js';

/** One own update under way, in words. */
export interface WaitingItem {
  readonly id: string;
  readonly text: string;
  /** As things stand now; the server has the last word. */
  readonly outlook: 'applied' | 'alternative' | 'rejected' | 'merged';
}

export interface SyncState {
  readonly link: 'online' | 'connecting' | 'offline';
  /** Offline because the user wants to be. */
  readonly byChoice: boolean;
  /** Nothing is known to be missing here. False until a server has told what there is. */
  readonly upToDate: boolean;
  readonly waiting: readonly WaitingItem[];
  /** Beyond being offline: bookings would not outlive this page, or the server will not have us. */
  readonly warning: string | undefined;
  /** What waits outlives this page. */
  readonly isKept: boolean;
  /** Rows that have come so far of a calendar that is on its way as a whole. */
  readonly arriving: number | undefined;
  /** Code: the server says that this person has no right to the calendar. */
  readonly refused: string | undefined;
  /** Whole days for which the oldest change has waited. */
  readonly waitingDays: number;
}

const WAITING_SHOWN = 30;

const OUTLOOK: Record<WaitingItem['outlook'], string> = {
  applied: '',
  merged: '',
  alternative: 'would take an alternative',
  rejected: 'would be refused',
};

export function statusText({ link, byChoice, waiting }: SyncState): string {
  const count = waiting.length;
  const queue = count === 0 ? '' : `, ${plural(count, 'change')} waiting`;
  if (byChoice) return `Offline${queue}`;
  if (link === 'online') return count === 0 ? 'In sync' : `Sending ${plural(count, 'change')}`;
  return `${link === 'connecting' ? 'Connecting' : 'No connection'}${queue}`;
}

/** For the narrow screen, where the banner says the rest. */
function shortText({ link, byChoice, waiting }: SyncState): string {
  const word =
    byChoice || link === 'offline' ? 'Offline' : link === 'connecting' ? 'Connecting' : 'In sync';
  return waiting.length === 0
    ? word
    : `${link === 'online' && !byChoice ? 'Sending' : word} · ${waiting.length}`;
}

const look = ({ link, byChoice, waiting }: SyncState): string => {
  if (byChoice || link === 'offline') return 'is-offline';
  return link === 'connecting' || waiting.length > 0 ? 'is-busy' : 'is-synced';
};

/** A click elsewhere closes what a click has opened. */
function closeWhenLeft(event: FocusEvent<HTMLDetailsElement>): void {
  if (!event.currentTarget.contains(event.relatedTarget)) event.currentTarget.open = false;
}

export function SyncStatus({ state, onToggle }: { readonly state: SyncState; onToggle(): void }) {
  const { waiting, byChoice, link, warning } = state;
  const keptText =
    warning === undefined
      ? 'They are kept on this device, also if you close the page.'
      : 'Keep the page open until they are sent.';
  return (
    <div className="sync">
      <details className="sync-details" onBlur={closeWhenLeft}>
        <summary
          className={`pill ${look(state)}`}
          data-testid="sync-status"
          data-link={byChoice ? 'offline' : link}
          data-waiting={waiting.length}
        >
          <span className="dot" aria-hidden="true" />
          <span role="status" className="long">
            {statusText(state)}
          </span>
          <span aria-hidden="true" className="short">
            {shortText(state)}
          </span>
        </summary>
        <div className="popover">
          <h2>
            {waiting.length === 0
              ? 'Nothing is waiting'
              : `Waiting for the server: ${waiting.length}`}
          </h2>
          <ul>
            {waiting.slice(0, WAITING_SHOWN).map((item) => (
              <li key={item.id} data-testid="waiting-item">
                {item.text}
                {OUTLOOK[item.outlook] !== '' && <em> · {OUTLOOK[item.outlook]}</em>}
              </li>
            ))}
          </ul>
          {waiting.length > WAITING_SHOWN && (
            <p className="hint">and {waiting.length - WAITING_SHOWN} more</p>
          )}
          <p className="hint">
            {waiting.length === 0 ? 'All that you have done is in the team’s calendar.' : keptText}
          </p>
        </div>
      </details>
      <button
        type="button"
        role="switch"
        aria-checked={byChoice}
        className="switch"
        onClick={onToggle}
        data-testid="offline-switch"
        aria-label="Work offline"
      >
        <Icon name={byChoice ? 'offline' : 'cloud'} />
        <span>{byChoice ? 'Go online' : 'Work offline'}</span>
      </button>
    </div>
  );
}

/** What is done is kept until … */
function keptText(waiting: number, days: number): string {
  if (waiting === 0) return 'You can go on booking: it is kept here until';
  const changes = plural(waiting, 'change');
  if (days === 0) return `${changes} ${waiting === 1 ? 'is' : 'are'} kept here until`;
  const verb = waiting === 1 ? 'waits' : 'wait';
  return `${changes} ${verb} here, the oldest for ${plural(days, 'day')}, until`;
}

/** Says at length what the pill says in short, while there is something to say. */
export function Banner({ state }: { readonly state: SyncState }) {
  const { byChoice, link, waiting, warning, waitingDays } = state;
  if (warning !== undefined) {
    return (
      <p className="banner is-warning" role="alert">
        {warning}
      </p>
    );
  }
  if (!byChoice && link !== 'offline') return null;
  return (
    <aside className="banner" aria-label="Connection" data-testid="offline-banner">
      <strong>{byChoice ? 'You are working offline.' : 'The server cannot be reached.'}</strong>{' '}
      {keptText(waiting.length, waitingDays)} {byChoice ? 'you go online' : 'it can be reached'}{' '}
      again.
    </aside>
  );
}

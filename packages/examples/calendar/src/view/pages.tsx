/**
 * Whole pages, for when there is no calendar to show: who are you, loading, open elsewhere,
 * broken, no rooms yet.
 */
import { useState, type FormEvent, type ReactNode } from 'react';
import { NAME_PATTERN, STARTER_ROOMS } from '../starter.js';

function Page({ children, testId }: { readonly children: ReactNode; readonly testId: string }) {
  return (
    <main className="page" data-testid={testId}>
      <div className="page-card">
        <Mark />
        {children}
      </div>
    </main>
  );
}

/** A river's bend, and the lake that it leaves behind: an oxbow. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M3 25h6c4 0 5-3 5-6 0-6 2-12 8.500-12S29 12 29 15.500 26.500 22 23 22s-4.500-2-4.500-4.500" />
    </svg>
  );
}

export function WelcomePage({
  space,
  onName,
}: {
  readonly space: string;
  onName(name: string): void;
}) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState('');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const chosen = name.trim().replace(/\s+/g, ' ');
    if (NAME_PATTERN.test(chosen)) onName(chosen);
    else setProblem('Use letters, digits, spaces, dots, hyphens or apostrophes; at most forty.');
  };
  return (
    <Page testId="welcome">
      <h1>
        Rooms of <em>{space}</em>
      </h1>
      <p>
        Book a room with or without a connection. When two want the same hour, one gets it, and the
        other gets what they named as next best.
      </p>
      <form onSubmit={submit}>
        <label className="field">
          Your name, as your team sees it
          <input
            autoFocus
            value={name}
            onChange={(e) => setName(e.target.value)}
            maxLength={60}
            autoComplete="name"
            data-testid="name"
          />
        </label>
        <p role="alert" className="problem">
          {problem}
        </p>
        <button type="submit" className="primary wide" data-testid="enter">
          Open the calendar
        </button>
      </form>
    </Page>
  );
}

export function LoadingPage() {
  return (
    <Page testId="loading">
      <p role="status">Opening your calendar …</p>
      <div className="shimmer" aria-hidden="true" />
    </Page>
  );
}

export function FailedPage({
  code,
  message,
  onRetry,
}: {
  readonly code: string;
  readonly message: string;
  onRetry(): void;
}) {
  return (
    <Page testId="failed">
      <h1>The calendar could not be opened</h1>
      <p>{message}</p>
      <p className="hint">
        Code: <code>{code}</code>
      </p>
      <button type="button" className="primary wide" onClick={onRetry}>
        Try again
      </button>
    </Page>
  );
}

export function NoneShown({ onShowAll }: { onShowAll(): void }) {
  return (
    <div className="empty" data-testid="none-shown">
      <p>All rooms are hidden.</p>
      <button type="button" onClick={onShowAll} data-testid="show-all-rooms">
        Show all rooms
      </button>
    </div>
  );
}

/** A new browser knows nothing yet: the rooms may well be there, and on their way. */
export function Fetching({ arriving }: { readonly arriving: number | undefined }) {
  return (
    <div className="empty" data-testid="fetching">
      <Mark />
      <p role="status">Fetching your team’s calendar …</p>
      {arriving !== undefined && (
        <p className="hint" data-testid="arriving">
          {arriving.toLocaleString()} entries so far
        </p>
      )}
      <div className="shimmer wide" aria-hidden="true" />
    </div>
  );
}

export function NoRight({ space, code }: { readonly space: string; readonly code: string }) {
  return (
    <div className="empty" role="alert" data-testid="no-right">
      <Mark />
      <h2>You may not see this calendar</h2>
      <p>
        The server does not let you in to {space}. Ask whoever runs it; this page goes on by itself
        once it does.
      </p>
      <p className="hint">
        Code: <code>{code}</code>
      </p>
    </div>
  );
}

export interface NoRoomsProps {
  /** No server has told yet what the team has. */
  readonly unsure: boolean;
  onStarter(): void;
  onAddRoom(): void;
}

export function NoRooms({ unsure, onStarter, onAddRoom }: NoRoomsProps) {
  return (
    <div className="empty" data-testid="no-rooms">
      <Mark />
      <h2>{unsure ? 'No rooms known here yet' : 'No rooms yet'}</h2>
      <p>
        {unsure &&
          'This device has not reached the server so far; your team may have rooms there. '}
        Start with {STARTER_ROOMS.map((r) => r.name).join(', ')}, or add your own. If a colleague
        does the same meanwhile, you end up with one set.
      </p>
      <div className="row">
        <button type="button" className="primary" onClick={onStarter} data-testid="starter-rooms">
          Add the starter rooms
        </button>
        <button type="button" onClick={onAddRoom}>
          Add a room
        </button>
      </div>
    </div>
  );
}

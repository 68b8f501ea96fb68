/**
 * From an address to a calendar: who is it, which space, does it open at all.
 */
import { useCallback, useEffect, useState } from 'react';
import { forgetName, rememberedName, rememberName } from '../remembered-name.js';
import type { PageUpdate } from '../installed/update.js';
import type { Session } from '../session/session.js';
import type { ShownZone } from '../time/shown-zone.js';
import { CalendarScreen } from './CalendarScreen.js';
import { FailedPage, LoadingPage, WelcomePage } from './pages.js';
import { ClockContext } from './useClock.js';
import { useStore } from './useStore.js';

export interface RootProps {
  readonly space: string;
  /** Opens the replica. Rejects with an error that has a `code`. */
  open(me: string): Promise<Session>;
  readonly zone: ShownZone;
  readonly update: PageUpdate;
}

type Opening =
  | { readonly kind: 'opening' }
  | { readonly kind: 'ready'; readonly session: Session }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

function failureOf(error: unknown): Opening {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return { kind: 'failed', code, message: error instanceof Error ? error.message : String(error) };
}

function useOpening(me: string, open: RootProps['open']): [Opening, () => void] {
  const [opening, setOpening] = useState<Opening>({ kind: 'opening' });
  const [attempt, setAttempt] = useState(0);
  const retry = useCallback(() => setAttempt((n) => n + 1), []);
  useEffect(() => {
    let gone = false;
    const opened = open(me);
    opened.then(
      (session) => gone || setOpening({ kind: 'ready', session }),
      (error: unknown) => gone || setOpening(failureOf(error)),
    );
    return () => {
      gone = true;
      // A replica that opens after we have left is closed again; a failure has been told already.
      opened.then((session) => session.close()).catch(() => undefined);
    };
  }, [me, open, attempt]);
  return [opening, retry];
}

type OpenedProps = Omit<RootProps, 'space'> & { readonly me: string; onLeave(): void };

function Opened({ me, open, zone, update, onLeave }: OpenedProps) {
  const [opening, retry] = useOpening(me, open);
  switch (opening.kind) {
    case 'opening':
      return <LoadingPage />;
    case 'failed':
      return <FailedPage code={opening.code} message={opening.message} onRetry={retry} />;
    case 'ready':
      return (
        <CalendarScreen session={opening.session} zone={zone} update={update} onLeave={onLeave} />
      );
  }
}

export function Root({ space, ...rest }: RootProps) {
  const [me, setMe] = useState(rememberedName);
  const clock = useStore(rest.zone);
  const enter = (name: string): void => {
    rememberName(name);
    setMe(name);
  };
  const leave = (): void => {
    forgetName();
    setMe(null);
  };
  if (me === null) return <WelcomePage space={space} onName={enter} />;
  return (
    <ClockContext value={clock}>
      <Opened key={me} me={me} {...rest} onLeave={leave} />
    </ClockContext>
  );
}

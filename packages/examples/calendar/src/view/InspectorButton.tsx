/**
 * Opens the SDK's inspector below the calendar, for whoever wants to know what is going on beneath
 * it; `?inspect` in the address opens it at once. Its code is fetched when it is asked for; the
 * page's worker keeps it with the rest, so that it opens offline, too.
 */
import { useEffect, useState } from 'react';
import type { Session } from '../session/session.js';

const isAskedFor = (): boolean => new URL(location.href).searchParams.has('inspect');

/** Below the page, not over it: the calendar gives it room (styles.css). */
function useInspector({ replica, space }: Session, isOpen: boolean, onClose: () => void): void {
  useEffect(() => {
    if (!isOpen) return;
    const place = document.createElement('div');
    place.className = 'inspector';
    let close: (() => void) | undefined = () => undefined;
    void import('@oxbow/sdk/inspector').then(({ showInspector }) => {
      if (close === undefined) return;
      document.body.append(place);
      close = showInspector(replica, { space, into: place, onClose }).close;
    });
    return () => {
      close?.();
      close = undefined;
      place.remove();
    };
  }, [replica, space, isOpen, onClose]);
}

export function InspectorButton({ session }: { readonly session: Session }) {
  const [isOpen, setOpen] = useState(isAskedFor);
  const [onClose] = useState(() => () => setOpen(false));
  useInspector(session, isOpen, onClose);
  return (
    <button
      type="button"
      aria-expanded={isOpen}
      onClick={() => setOpen(!isOpen)}
      data-testid="inspector"
      data-closes-menu
    >
      Inspector
    </button>
  );
}

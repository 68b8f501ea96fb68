/**
 * A newer version of the page: offered while someone looks, taken while nobody does. What is booked
 * lies in the store and a form that is open is kept, so a reload takes nothing away; where the
 * store cannot keep what waits, nothing is offered until it has been sent.
 */
import { useEffect } from 'react';
import type { PageUpdate } from '../installed/update.js';
import { useStore } from './useStore.js';

export interface UpdateBarProps {
  readonly update: PageUpdate;
  /** Nothing here would be lost with the page. */
  readonly safe: boolean;
}

export function UpdateBar({ update, safe }: UpdateBarProps) {
  const state = useStore(update);
  const isOffered = state !== 'none' && safe;
  useEffect(() => {
    if (!isOffered) return;
    const take = (): void => {
      if (document.visibilityState === 'hidden') update.takeOver();
    };
    document.addEventListener('visibilitychange', take);
    return () => document.removeEventListener('visibilitychange', take);
  }, [isOffered, update]);
  return (
    <section
      aria-label="Newer version"
      aria-live="polite"
      data-testid="update"
      data-state={isOffered ? state : 'none'}
    >
      {isOffered && (
        <div className="banner is-update">
          <span>
            <strong>A newer version of this calendar is ready.</strong> What you have booked or
            begun to type is kept.
          </span>
          <button type="button" onClick={update.takeOver} data-testid="take-update">
            Load it now
          </button>
        </div>
      )}
    </section>
  );
}

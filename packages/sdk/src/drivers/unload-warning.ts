/**
 * The browser's question before a page is left. It is switched on only while there is something to
 * lose: a page that always listens is kept out of the back/forward cache, and asks people for
 * nothing.
 */

/** What of a replica's health it goes by. */
export interface UnsavedHealth {
  readonly unsynced: number;
  readonly unsaved: number;
  subscribe(fn: () => void): () => void;
}

export interface UnloadWarning {
  /**
   * `unsaved` (default): while closing the page would lose updates. `unsynced`: also while updates
   * are on this disk only.
   */
  readonly while?: 'unsaved' | 'unsynced';
}

/**
 * Has the browser ask before the page is left while own updates are unsaved, or unsynced. Browsers
 * ask only on pages that their user has touched. Returns the way to stop it. Does nothing outside
 * of a page.
 *
 * @example
 * const stop = warnBeforeUnload(replica);
 */
export function warnBeforeUnload(
  replica: { readonly health: UnsavedHealth }, options: UnloadWarning = {},
): () => void {
  if (typeof document === 'undefined') return () => undefined;
  const { health } = replica;
  const ofInterest = options.while ?? 'unsaved';
  let isListening = false;
  const ask = (event: BeforeUnloadEvent): void => {
    if (health[ofInterest] > 0) event.preventDefault();
  };
  const listen = (wanted: boolean): void => {
    if (wanted === isListening) return;
    isListening = wanted;
    if (wanted) addEventListener('beforeunload', ask);
    else removeEventListener('beforeunload', ask);
  };
  const look = (): void => listen(health[ofInterest] > 0);
  const stop = health.subscribe(look);
  look();
  return () => {
    stop();
    listen(false);
  };
}

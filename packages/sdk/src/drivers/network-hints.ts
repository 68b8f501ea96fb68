/**
 * What a browser tells about its network and its page. Hints only: they hasten an attempt, they
 * never stop one.
 */

/**
 * Calls `hint` when it may be worth trying to connect at once. Returns the way to stop it. In Node:
 * never.
 */
export function onNetworkHint(hint: () => void): () => void {
  if (typeof addEventListener !== 'function' || typeof document === 'undefined') return () => undefined;
  const onVisible = (): void => {
    if (document.visibilityState === 'visible') hint();
  };
  addEventListener('online', hint);
  // A socket does not notice that the network has gone: the link is asked whether it lives.
  addEventListener('offline', hint);
  // A page that comes back out of the back/forward cache has lost its sockets without a word.
  addEventListener('pageshow', hint);
  document.addEventListener('visibilitychange', onVisible);
  return () => {
    removeEventListener('online', hint);
    removeEventListener('offline', hint);
    removeEventListener('pageshow', hint);
    document.removeEventListener('visibilitychange', onVisible);
  };
}

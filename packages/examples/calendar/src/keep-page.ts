/**
 * The page itself must be there without a connection, not only what is booked: a worker keeps its
 * files (public/page-worker.js). Not while developing, where files change at any moment.
 */
export function keepPage(): void {
  if (import.meta.hot !== undefined || !('serviceWorker' in navigator)) return;
  navigator.serviceWorker.register('page-worker.js').catch((error: unknown) => {
    // eslint-disable-next-line no-console -- reason: it concerns whoever serves the page.
    console.warn('Without a connection this page cannot be loaded again:', error);
  });
}

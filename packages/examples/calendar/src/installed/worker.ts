/**
 * The service worker: keeps all files of one build, so that the calendar opens from a cold start
 * with no server anywhere. It answers from what it keeps before it asks the network: a network
 * that neither answers nor fails would else hold up the page for as long as its patience lasts.
 * A newer build is fetched as a whole beside the old one, and takes over only when the page says
 * so (update.ts): files of two builds never meet.
 */
import {
  cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute,
} from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';

interface KeptFile {
  readonly url: string;
  readonly revision: string | null;
}

/** What of a service worker's global scope is used here: its library excludes that of pages. */
interface WorkerScope {
  /** Set by serve.mjs in front of this script: what it adds to the page as it is served. */
  readonly servedWith?: string;
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
  addEventListener(
    type: 'message' | 'activate',
    fn: (event: { readonly data?: unknown; waitUntil(done: Promise<unknown>): void }) => void,
  ): void;
}

declare const KEPT_FILES: readonly KeptFile[];
// reason: this script runs in a worker, while the compiler knows the page's globals only.
const scope = self as unknown as WorkerScope;

const PAGE = 'index.html';

/** The page is another one when it names other sync servers, though the build is the same. */
const asServed = (file: KeptFile): KeptFile =>
  file.url === PAGE ? { ...file, revision: `${file.revision} ${scope.servedWith ?? ''}` } : file;

precacheAndRoute(KEPT_FILES.map(asServed));
cleanupOutdatedCaches();
registerRoute(new NavigationRoute(createHandlerBoundToURL(PAGE)));

const isTakeOver = (data: unknown): boolean =>
  typeof data === 'object' && data !== null && 'type' in data && data.type === 'SKIP_WAITING';

scope.addEventListener('message', (event) => {
  if (isTakeOver(event.data)) event.waitUntil(scope.skipWaiting());
});
// The page that installs it is kept from its first visit on.
scope.addEventListener('activate', (event) => event.waitUntil(scope.clients.claim()));

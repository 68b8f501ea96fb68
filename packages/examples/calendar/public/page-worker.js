/**
 * Keeps the files of the page, so that it can be loaded again without its server. The page is
 * asked for first and its kept copy is the second best; files with a hash in their names never
 * change, so the kept copy is as good as any. Only what the newest page names is kept.
 */
const STORE = 'oxbow-calendar-page';
const PAGE = './';
/** A network that neither answers nor fails is treated as none. */
const PATIENCE_MS = 4_000;

const FILE = /(?:src|href)="(\.\/assets\/[^"]+)"/g;
const filesOf = (html) => [...html.matchAll(FILE)].map(([, file]) => file);

async function keep(page) {
  const html = await page.clone().text();
  const wanted = filesOf(html).map((file) => new URL(file, self.registration.scope).href);
  const store = await caches.open(STORE);
  const missing = [];
  for (const file of wanted) if ((await store.match(file)) === undefined) missing.push(file);
  await store.addAll(missing);
  // Last: a kept page must not name files that are not kept.
  await store.put(new URL(PAGE, self.registration.scope).href, page);
  for (const { url } of await store.keys()) {
    if (url.includes('/assets/') && !wanted.includes(url)) await store.delete(url);
  }
}

async function loadPage(event) {
  try {
    const answer = await fetch(event.request.url, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.ok) event.waitUntil(keep(answer.clone()));
    return answer;
  } catch (error) {
    const kept = await caches.match(new URL(PAGE, self.registration.scope).href);
    if (kept === undefined) throw error;
    return kept;
  }
}

const loadFile = async (request) => (await caches.match(request)) ?? fetch(request);

self.addEventListener('install', (event) => {
  event.waitUntil(fetch(PAGE).then(keep).then(() => self.skipWaiting()));
});
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  const { method, mode, url } = event.request;
  if (method !== 'GET' || !url.startsWith(self.registration.scope)) return;
  if (mode === 'navigate') event.respondWith(loadPage(event));
  else if (url.includes('/assets/')) event.respondWith(loadFile(event.request));
});

/**
 * Serves the built page: node serve.mjs [--port 5173] [--host 127.0.0.1] [--root dist]
 * [--server URL …] [--quiet]. Only files below dist/, only GET and HEAD. Names with a hash in them
 * never change and may be kept; index.html must be asked for again. `--server` names the sync
 * server to the page, or each node of a cluster: repeated, or separated by commas.
 */
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
  '.ics': 'text/calendar; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
};

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
};

function answer(response, status, text) {
  response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

/** The file that a request path means, or undefined if it lies outside or is no path at all. */
export function fileOf(root, requestUrl) {
  let path;
  try {
    path = decodeURIComponent(new URL(requestUrl, 'http://localhost').pathname);
  } catch {
    return undefined;
  }
  if (path.includes('\0') || path.includes('\\')) return undefined;
  const file = normalize(join(root, path.endsWith('/') ? `${path}index.html` : path));
  return file.startsWith(root.endsWith(sep) ? root : root + sep) ? file : undefined;
}

const escaped = (text) =>
  text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);

const WORKER = 'page-worker.js';

/**
 * The page, told where to sync. The worker that keeps it is told, too: it must fetch the page again
 * when that has changed, though the build is the same.
 */
async function pageFor(file, servers) {
  const page = await readFile(file, 'utf8');
  if (file.endsWith(sep + WORKER))
    return Buffer.from(`self.servedWith=${JSON.stringify(servers.join(','))};${page}`);
  const meta = `<meta name="sync-servers" content="${escaped(servers.join(','))}" />`;
  return Buffer.from(page.replace(/<head[^>]*>/i, (head) => `${head}\n    ${meta}`));
}

async function serve({ root, servers }, request, response) {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return answer(response, 405, 'Only GET and HEAD.');
  const file = fileOf(root, request.url ?? '/');
  const found = file === undefined ? undefined : await stat(file).catch(() => undefined);
  if (file === undefined || found === undefined || !found.isFile())
    return answer(response, 404, 'Not found.');
  const isPage = servers.length > 0 && (extname(file) === '.html' || file.endsWith(sep + WORKER));
  const page = isPage ? await pageFor(file, servers) : undefined;
  response.writeHead(200, {
    ...HEADERS,
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'content-length': page?.length ?? found.size,
    'cache-control': /-[\w-]{8}\.\w+$/.test(file)
      ? 'public, max-age=31536000, immutable'
      : 'no-cache',
  });
  if (request.method === 'HEAD') return response.end();
  if (page !== undefined) return response.end(page);
  createReadStream(file)
    .on('error', () => response.destroy())
    .pipe(response);
}

/** Resolves with the listening server. `port` 0 takes a free one. `servers`: URLs for the page. */
export function servePage({ root, port, host, servers = [] }) {
  const server = createServer((request, response) => {
    serve({ root, servers }, request, response).catch(() => answer(response, 500, 'Failed.'));
  });
  return new Promise((listening, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => listening(server));
  });
}

/** What a person at a terminal needs, in place of a stack trace. */
function explain(error, port) {
  if (error.code !== 'EADDRINUSE') throw error;
  console.error(`Cannot listen on port ${port}: another program does. Give another --port.`);
  process.exit(1);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '5173' },
      host: { type: 'string', default: '127.0.0.1' },
      server: { type: 'string', multiple: true, default: [] },
      root: { type: 'string', default: fileURLToPath(new URL('./dist', import.meta.url)) },
      quiet: { type: 'boolean', default: false },
    },
  });
  const wanted = {
    root: resolve(values.root),
    port: Number(values.port),
    host: values.host,
    servers: values.server.flatMap((list) => list.split(',')).filter((url) => url.trim() !== ''),
  };
  const server = await servePage(wanted).catch((error) => explain(error, values.port));
  const { port } = server.address();
  if (!values.quiet) console.log(`Calendar at http://${values.host}:${port}/`);
}

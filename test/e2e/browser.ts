/**
 * A real browser for the end-to-end tests: which one, how it is started, and pages for it out of
 * our sources. Without a Chromium a test file says loudly what it leaves out; where CI is set that
 * is a failure.
 */
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Headless, and with nothing that calls home: tests run where there is no network. */
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

/** The path of a Chromium: OXBOW_CHROMIUM, or where it usually lies. */
export function findChromium(): string | undefined {
  const given = process.env.OXBOW_CHROMIUM;
  if (given !== undefined && given !== '') return given;
  return PLACES.find((path) => existsSync(path));
}

/**
 * The path of a Chromium for tests of `what`. Undefined, after saying so loudly, where there is
 * none. Throws where CI is set.
 */
export function chromiumFor(what: string): string | undefined {
  const path = findChromium();
  if (path !== undefined) return path;
  const notice = `*** No Chromium: LEFT OUT: ${what}. Install it, or set OXBOW_CHROMIUM to its path. ***`;
  if (process.env.CI) throw new Error(notice);
  process.stderr.write(`\n${notice}\n\n`);
  return undefined;
}

/**
 * A browser with empty profiles: each `newContext()` is one more person with a browser of their
 * own.
 */
export function launchBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: FLAGS });
}

/**
 * One person's browser whose profile lies in `folder`: it can be closed or killed, and started
 * again.
 */
export function launchProfile(executablePath: string, folder: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, { executablePath, args: FLAGS });
}

/**
 * The entry and all it imports as one script for a page. `entry`: a URL, relative to the caller's
 * `import.meta.url`.
 */
export async function bundleForPage(entry: URL): Promise<string> {
  const result = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    sourcemap: 'inline',
    conditions: ['oxbow-source'],
    logLevel: 'error',
  });
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error(`${entry.href} was bundled into nothing`);
  return output.text;
}

export interface PageServer {
  /** With a slash at the end. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves one empty page that runs `script`, on a free port of this machine. */
export async function servePage(script: string): Promise<PageServer> {
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(isScript ? script : '<!doctype html><script type="module" src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // reason: a TCP server that listens has an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    }),
  };
}

/** Browsers for the workload: each session is a browser started anew, on a profile old or new. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { findChromium } from '../../e2e/browser.js';
import type { PeerName } from './metrics.js';

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--js-flags=--expose-gc', '--enable-blink-features=ForceEagerMeasureMemory',
];
/** An isolated page has a clock of 5 µs, and may ask for its memory. */
const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp',
};

export class Sessions {
  readonly executable: string;
  readonly #scratch: string;
  readonly #server: Server;
  readonly #scripts = new Map<string, string>();

  private constructor(scratch: string, executable: string, server: Server) {
    this.#scratch = scratch;
    this.executable = executable;
    this.#server = server;
    server.on('request', ({ url = '/' }: { url?: string }, response) => {
      const script = this.#scripts.get(url.slice(1, -'.js'.length));
      const type = url.endsWith('.js') ? 'text/javascript' : 'text/html; charset=utf-8';
      response.writeHead(200, { ...ISOLATED, 'content-type': type, 'cache-control': 'no-store' });
      response.end(script ?? `<!doctype html><script type="module" src="${url.replace(/\/$/, '')}.js"></script>`);
    });
  }

  static async start(scratch: string): Promise<Sessions> {
    const executable = findChromium();
    if (executable === undefined) throw new Error('There is no Chromium: set OXBOW_CHROMIUM to its path.');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    mkdirSync(scratch, { recursive: true });
    return new Sessions(scratch, executable, server);
  }

  get version(): string {
    return execFileSync(this.executable, ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString().trim();
  }

  serve(peer: PeerName, script: string): void {
    this.#scripts.set(peer, script);
  }

  /** Runs `task` with a profile of its own, which is gone afterwards. */
  async inProfile<T>(task: (profile: string) => Promise<T>): Promise<T> {
    const profile = mkdtempSync(join(this.#scratch, 'profile-'));
    try {
      return await task(profile);
    } finally {
      rmSync(profile, { recursive: true, force: true });
    }
  }

  /** A browser started on that profile, with the peer's page; ended afterwards. */
  async inBrowser<T>(
    profile: string, peer: PeerName, task: (page: Page) => Promise<T>,
  ): Promise<T> {
    const browser = await chromium.launchPersistentContext(profile, {
      executablePath: this.executable, args: FLAGS,
    });
    try {
      const page = await browser.newPage();
      page.on('pageerror', (error) => console.error(`  ${peer}: ${error.message}`));
      // reason: a TCP server that listens has an address with a port.
      const { port } = this.#server.address() as AddressInfo;
      await page.goto(`http://127.0.0.1:${port}/${peer}`);
      await page.waitForFunction(() => globalThis.workload !== undefined);
      return await task(page);
    } finally {
      await browser.close();
    }
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Bytes under the IndexedDB folder of a profile whose browser has ended. */
export function storedBytes(profile: string): number {
  const out = execFileSync('du', ['-sb', join(profile, 'Default', 'IndexedDB')]).toString();
  return Number(out.split('\t')[0]);
}

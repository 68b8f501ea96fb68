/**
 * The calendar's servers as real child processes: they can be killed at any moment, and started
 * again on the same disk.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A port that was free a moment ago: the sync server must come back on the one that it had. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string')
    throw new Error('A TCP server without a port.');
  return address.port;
}

/**
 * Until the process has printed something that matches. Fails with all that it printed if it ends
 * before.
 */
function printed(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  let text = '';
  return new Promise((resolve, reject) => {
    const read = (part: Buffer): void => {
      text += part.toString();
      const match = pattern.exec(text);
      if (match !== null) resolve(match);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) =>
      reject(new Error(`The process ended (${code}) before ${pattern}:\n${text}`)),
    );
  });
}

/** Whatever happens to the test run, its servers do not outlive it. */
const children = new Set<ChildProcess>();
process.once('exit', () => children.forEach((child) => child.kill('SIGKILL')));

function node(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

/** `oxbow serve` with the calendar's app, from the sources, in development mode. */
export class SyncServer {
  readonly #port: number;
  readonly #data: string;
  readonly #flags: readonly string[];
  readonly #auth: readonly string[];
  #child: ChildProcess | undefined;

  /** `flags`: more of them, of a node of a cluster. `auth`: whom to believe; anyone by default. */
  constructor(options: {
    readonly port: number;
    readonly data: string;
    readonly flags?: readonly string[];
    readonly auth?: readonly string[];
  }) {
    this.#port = options.port;
    this.#data = options.data;
    this.#flags = options.flags ?? [];
    this.#auth = options.auth ?? ['--dev-auth'];
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}/sync`;
  }

  async start(): Promise<void> {
    this.#child = node([
      '--conditions=oxbow-source',
      '--import',
      'tsx',
      'test/e2e/oxbow.ts',
      'serve',
      '--app',
      'packages/examples/calendar/src/app.ts',
      '--data',
      this.#data,
      '--port',
      String(this.#port),
      '--host',
      '127.0.0.1',
      ...this.#auth,
      '--log-level',
      'info',
      ...this.#flags,
    ]);
    // The first of the two to happen: it answers, or it ends and says why.
    await Promise.race([this.#ready(this.#child), printed(this.#child, /(?!)/)]);
  }

  /** SIGKILL: no goodbye to anyone, nothing flushed. */
  async kill(): Promise<void> {
    if (this.#child !== undefined) await ended(this.#child, 'SIGKILL');
  }

  async stop(): Promise<void> {
    if (this.#child !== undefined) await ended(this.#child, 'SIGTERM');
  }

  async #ready(child: ChildProcess): Promise<void> {
    while (child.exitCode === null) {
      const answer = await fetch(`http://127.0.0.1:${this.#port}/readyz`).catch(() => undefined);
      if (answer?.ok === true) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** The built page's own server, which stays up while the sync server is down. */
export class PageServer {
  readonly #child: ChildProcess;
  readonly url: string;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** `more`: flags of serve.mjs. */
  static async start(folder: string, ...more: readonly string[]): Promise<PageServer> {
    const serve = 'packages/examples/calendar/serve.mjs';
    const child = node([serve, '--port', '0', '--root', folder, ...more]);
    const [, url = ''] = await printed(child, /Calendar at (\S+)/);
    return new PageServer(child, url);
  }

  stop(): Promise<void> {
    return ended(this.#child, 'SIGTERM');
  }
}

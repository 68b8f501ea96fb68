/**
 * A server in a process of its own, through the command, so that tests can kill it. Command and app
 * are bundled, each by itself: they start fast, and the app has its own copy of the SDK, as a
 * user's bundled app has.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** As deep below the package as `dist/cli`, whose place the command knows. */
const FOLDER = fileURLToPath(new URL('../../../.tmp/cli', import.meta.url));
const SCRIPT = join(FOLDER, 'run-cli.mjs');
const APP = join(FOLDER, 'test-app.mjs');

const bundled = Promise.all([
  bundle(new URL('run-cli.ts', import.meta.url), SCRIPT),
  bundle(new URL('../../drivers/testing/test-app.ts', import.meta.url), APP),
]);

export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  hasEnded(): boolean;
  /** Signals and waits for the end; answers with the exit code, null after a kill. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
}

async function spawnCommand(args: readonly string[]): Promise<ChildProcess> {
  await bundled;
  return spawn(process.execPath, [SCRIPT, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function bundle(entry: URL, outfile: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['oxbow-source'],
    external: ['lmdb', 'ws', 'pino', 'prom-client', 'jose', 'commander'],
  });
}

/** Runs a command to its end. */
export async function runCommand(
  args: readonly string[],
): Promise<{ code: number | null; out: string; err: string }> {
  const child = await spawnCommand(args);
  const texts = { out: '', err: '' };
  child.stdout?.on('data', (text: Buffer) => (texts.out += text.toString()));
  child.stderr?.on('data', (text: Buffer) => (texts.err += text.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...texts };
}

/** Starts `oxbow serve` with the test app on any port; resolves once it listens. */
export async function startServer(
  data: string,
  auth: readonly string[] = ['--dev-auth'],
): Promise<ServerProcess> {
  const child = await spawnCommand(['serve', '--app', APP, '--data', data, '--port', '0', ...auth]);
  let complaints = '';
  child.stderr?.on('data', (text: Buffer) => (complaints += text.toString()));
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the server did not start: ${complaints}`)));
    if (child.stdout === null) throw new Error('no output');
    createInterface({ input: child.stdout }).on('line', (line) => {
      const entry = JSON.parse(line) as { event: string; url?: string };
      if (entry.event === 'listening') resolve(entry.url ?? '');
    });
  });
  return {
    url,
    pid: child.pid ?? 0,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    async end(signal) {
      const ended = once(child, 'exit') as Promise<[number | null]>;
      child.kill(signal);
      return (await ended)[0];
    },
  };
}

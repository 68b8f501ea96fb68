/**
 * One process per data directory: two servers on one log would overwrite what the other
 * acknowledged. Node has no flock, and a file with a process id in it cannot be judged from another
 * container (ids and host names repeat or change there). So the holder listens on a local socket in
 * the directory: the kernel closes it with the process, however that ends, and whoever asks is told
 * the holder's id.
 *
 * A dead socket cannot be replaced atomically, so it is succeeded: sockets are numbered, the
 * highest counts, and a number is taken by `link`, which one process wins. The highest is never
 * removed, so numbers only grow.
 */
import { createHash, randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import * as net from 'node:net';
import { join, resolve } from 'node:path';
import { OxbowError } from '@oxbow/sdk/protocol';
import { ensureFolder } from './folder.js';

export interface DataLock {
  release(): Promise<void>;
}

const FOLDER = 'lock';
const ANSWER_MS = 1_000;
/** A try fails only when another process moved at the same moment. */
const ATTEMPTS_MAX = 5;

/**
 * Takes the directory, creating it if missing. Errors: `data-in-use` (names the pid),
 * `data-unavailable`.
 */
export async function lockData(directory: string): Promise<DataLock> {
  try {
    ensureFolder(directory);
    return await mustListen(directory);
  } catch (error) {
    if (error instanceof OxbowError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const message =
      `Cannot use the data directory '${directory}': ${why}. ` +
      `It must be a writable folder on a local file system.`;
    throw new OxbowError('data-unavailable', message, { cause: error });
  }
}

async function mustListen(directory: string): Promise<DataLock> {
  if (process.platform === 'win32') return listenOnPipe(directory);
  const folder = openFolder(join(directory, FOLDER));
  const server = await listen(folder.socket(`new-${randomUUID()}`));
  try {
    const name = server.address();
    if (typeof name !== 'string') throw new Error('no local sockets here');
    await mustSucceed(directory, folder, name);
    return { release: () => release(server, folder) };
  } catch (error) {
    await release(server, folder);
    throw error;
  }
}

async function mustSucceed(directory: string, folder: Folder, mine: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const highest = Math.max(0, ...folder.numbers());
    const holder = highest === 0 ? undefined : await askHolder(folder.socket(String(highest)));
    if (holder !== undefined) throw inUse(directory, holder);
    if (!maybeLink(mine, folder.socket(String(highest + 1)))) continue;
    if (isHighest(folder, highest + 1)) return;
  }
  throw inUse(directory, 'unknown');
}

/** Who was slow between looking and linking may have come after a higher number: it yields. */
function isHighest(folder: Folder, mine: number): boolean {
  const numbers = folder.numbers();
  const wins = numbers.every((number) => number <= mine);
  const obsolete = wins ? numbers.filter((number) => number < mine) : [mine];
  for (const number of obsolete) fs.rmSync(folder.socket(String(number)), { force: true });
  return wins;
}

/** The socket listens under a name of its own before it gets the name that counts. */
function maybeLink(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

interface Folder {
  socket(name: string): string;
  numbers(): readonly number[];
  close(): void;
}

/**
 * A socket's path is bounded by 107 bytes; on Linux the way through an open directory is always
 * short.
 */
function openFolder(path: string): Folder {
  ensureFolder(path);
  const numbers = (): number[] =>
    fs.readdirSync(path).filter((name) => /^\d+$/.test(name)).map(Number);
  if (process.platform !== 'linux') {
    return { numbers, socket: (name) => join(path, name), close: () => undefined };
  }
  const descriptor = fs.openSync(path, 'r');
  return {
    numbers,
    socket: (name) => `/proc/self/fd/${descriptor}/${name}`,
    close: () => fs.closeSync(descriptor),
  };
}

/** Pipes live outside the file system and go with their process: no succession is needed. */
async function listenOnPipe(directory: string): Promise<DataLock> {
  const name = createHash('sha256').update(resolve(directory).toLowerCase()).digest('hex');
  const path = `\\\\.\\pipe\\oxbow-${name}`;
  try {
    const server = await listen(path);
    return { release: () => release(server, undefined) };
  } catch (error) {
    const holder = await askHolder(path);
    throw holder === undefined ? error : inUse(directory, holder);
  }
}

function listen(path: string): Promise<net.Server> {
  return new Promise((listening, reject) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.end(String(process.pid));
    });
    server.once('error', reject);
    server.listen(path, () => listening(server));
    // The lock alone keeps no process alive.
    server.unref();
  });
}

/**
 * The holder's process id as text; 'unknown' if it lives but does not say; undefined if nobody
 * listens.
 */
function askHolder(path: string): Promise<string | undefined> {
  return new Promise((resolveHolder) => {
    let answer = '';
    const socket = net.connect(path);
    socket.setEncoding('utf8');
    // A stopped process still accepts: the kernel does it for it.
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    let connected = false;
    socket.on('connect', () => (connected = true));
    socket.on('data', (text: string) => (answer = (answer + text).slice(0, 20)));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (!connected) resolveHolder(undefined);
      else resolveHolder(/^\d+$/.test(answer) ? answer : 'unknown');
    });
  });
}

/** Closing also removes the socket's first name; the number stays, and nobody listens there. */
function release(server: net.Server, folder: Folder | undefined): Promise<void> {
  return new Promise((released) => {
    server.close(() => {
      folder?.close();
      released();
    });
  });
}

function inUse(directory: string, holder: string): OxbowError {
  return new OxbowError(
    'data-in-use',
    `Cannot open the data directory '${directory}': process ${holder} uses it. ` +
      `Stop that process, or give this one a directory of its own.`,
  );
}

/**
 * A state in one file: a line about it, chunks behind length and CRC-32, a line with the digest of
 * all records. It is written under another name, read back and checked, and only then called what
 * it is to be called: a file with the right name is a whole backup.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { OxbowError } from '@oxbow/sdk/protocol';
import type { StateChunk, StateExport } from '../space/state-transfer.js';
import { badSnapshot, decodeRecords } from './state-chunks.js';
import { isSpaceKey } from './store-keys.js';

export interface BackupHead {
  /** The slot that the state stands at. */
  readonly slot: number;
  /** Where it was taken; what is restored from it becomes another one. */
  readonly cluster: string;
  /** ISO 8601 */
  readonly takenAt: string;
}

export interface BackupReport extends BackupHead {
  readonly records: number;
  readonly spaces: number;
  readonly bytes: number;
  readonly digest: string;
}

const VERSION = 1;
const CHUNK_BYTES = 1024 * 1024;
/** A record has its own bounds; this one keeps a damaged length from taking all memory. */
const CHUNK_BYTES_MAX = 64 * 1024 * 1024;
const LINE_BYTES_MAX = 4_096;
const FRAME_HEAD_BYTES = 8;

/**
 * The file's bytes, as a picture gives them; the picture is closed at the end. Errors:
 * `store-damaged`.
 */
export async function* backupBytes(
  picture: StateExport, takenAt: string,
): AsyncGenerator<Uint8Array> {
  try {
    const { slot, cluster } = picture.head;
    yield line({ oxbow: 'backup', version: VERSION, slot, cluster, takenAt });
    const hash = createHash('sha256');
    let cursor: Uint8Array | undefined;
    do {
      const chunk = await readChunk(picture, cursor);
      cursor = chunk.next;
      hash.update(chunk.bytes);
      if (chunk.bytes.length > 0) yield frameHead(chunk.bytes);
      yield chunk.bytes;
    } while (cursor !== undefined);
    yield Buffer.alloc(FRAME_HEAD_BYTES);
    yield line({ digest: hash.digest('hex') });
  } finally {
    picture.close();
  }
}

/**
 * `to`: a file that does not exist, or a folder in which one is made. Errors: `backup-exists`,
 * `backup-failed`, `bad-snapshot`.
 */
export async function saveBackup(
  bytes: AsyncIterable<Uint8Array>, to: string, name: string,
): Promise<{ readonly path: string; readonly report: BackupReport }> {
  const path = isFolder(to) ? join(to, name) : to;
  if (fs.existsSync(path)) {
    const message = `There is a file '${path}' already. A backup overwrites nothing: name another.`;
    throw new OxbowError('backup-exists', message);
  }
  const partial = join(dirname(path), `.${basename(path)}.partial`);
  try {
    await pipeline(bytes, fs.createWriteStream(partial, { flush: true }));
    const report = await verifyBackup(partial);
    fs.renameSync(partial, path);
    syncFolder(dirname(path));
    return { path, report };
  } catch (error) {
    fs.rmSync(partial, { force: true });
    throw failed(`Cannot write the backup '${path}'`, error);
  }
}

/** Reads everything, checks everything. Errors: `bad-snapshot`, `backup-failed`. */
export async function verifyBackup(path: string): Promise<BackupReport> {
  const backup = BackupReader.open(path);
  try {
    for await (const chunk of backup.chunks()) void chunk;
    return backup.report();
  } finally {
    backup.close();
  }
}

export class BackupReader {
  readonly head: BackupHead;
  readonly #descriptor: number;
  #at = 0;
  #records = 0;
  #spaces = 0;
  #bytes = 0;
  #digest = '';

  /** Errors: `bad-snapshot`, `backup-failed`. */
  static open(path: string): BackupReader {
    let descriptor: number;
    try {
      descriptor = fs.openSync(path, 'r');
    } catch (error) {
      throw failed(`Cannot read the backup '${path}'`, error);
    }
    try {
      return new BackupReader(descriptor);
    } catch (error) {
      fs.closeSync(descriptor);
      throw failed(`Cannot read the backup '${path}'`, error);
    }
  }

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
    this.head = headOf(this.#line());
  }

  /**
   * Sound ones only, in order; after the last, the digest has been checked. Errors: `bad-snapshot`.
   */
  async *chunks(): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    let last: Buffer | undefined;
    for (;;) {
      const frame = await this.#read(FRAME_HEAD_BYTES);
      const size = frame.readUInt32BE(0);
      if (size === 0) break;
      if (size > CHUNK_BYTES_MAX) throw badSnapshot('a chunk has an odd size');
      const bytes = await this.#read(size);
      if (crc32(bytes) !== frame.readUInt32BE(4)) throw badSnapshot('a chunk is damaged');
      const records = decodeRecords(bytes, last);
      last = records.at(-1)?.key ?? last;
      hash.update(bytes);
      this.#records += records.length;
      this.#spaces += records.filter(({ key }) => isSpaceKey(key)).length;
      this.#bytes += size;
      yield bytes;
    }
    this.#digest = hash.digest('hex');
    const { digest } = this.#line();
    if (digest !== this.#digest) throw badSnapshot('its digest is another one');
  }

  /** Once all chunks were read. */
  report(): BackupReport {
    return {
      ...this.head, records: this.#records, spaces: this.#spaces, bytes: this.#bytes,
      digest: this.#digest,
    };
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }

  #line(): Readonly<Record<string, unknown>> {
    const bytes = Buffer.alloc(LINE_BYTES_MAX);
    const read = fs.readSync(this.#descriptor, bytes, 0, LINE_BYTES_MAX, this.#at);
    const end = bytes.subarray(0, read).indexOf('\n');
    if (end < 0) throw badSnapshot('this is no backup, or it has lost its end');
    this.#at += end + 1;
    try {
      const value: unknown = JSON.parse(bytes.toString('utf8', 0, end));
      // reason: any object can be read by name.
      if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    throw badSnapshot('this is no backup');
  }

  #read(size: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(size);
    return new Promise((resolve, reject) => {
      fs.read(this.#descriptor, bytes, 0, size, this.#at, (error, read) => {
        if (error !== null) return reject(failed('Cannot read the backup', error));
        if (read < size) return reject(badSnapshot('the backup has lost its end'));
        this.#at += size;
        resolve(bytes);
      });
    });
  }
}

/** A name that sorts by time. */
export function backupName(takenAt: string): string {
  return `oxbow-${takenAt.replace(/[:.]/g, '-')}.backup`;
}

function headOf(fields: Readonly<Record<string, unknown>>): BackupHead {
  const { oxbow, version, slot, cluster, takenAt } = fields;
  if (oxbow !== 'backup') throw badSnapshot('this is no backup');
  if (version !== VERSION) {
    throw badSnapshot(`it has version ${String(version)}, this program reads ${VERSION}`);
  }
  const isSlot = typeof slot === 'number' && Number.isSafeInteger(slot) && slot >= 0;
  if (isSlot && typeof cluster === 'string' && typeof takenAt === 'string') {
    return { slot, cluster, takenAt };
  }
  throw badSnapshot('its head is damaged');
}

function readChunk(picture: StateExport, cursor: Uint8Array | undefined): Promise<StateChunk> {
  return new Promise((resolve, reject) => {
    picture.read(cursor, CHUNK_BYTES, (chunk, error) => {
      if (chunk === undefined) reject(error ?? new Error('the picture gave no chunk'));
      else resolve(chunk);
    });
  });
}

function frameHead(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt32BE(bytes.length, 0);
  head.writeUInt32BE(crc32(bytes), 4);
  return head;
}

const line = (fields: object): Buffer => Buffer.from(`${JSON.stringify(fields)}\n`);

function isFolder(path: string): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const descriptor = fs.openSync(path, 'r');
  fs.fsyncSync(descriptor);
  fs.closeSync(descriptor);
}

function failed(what: string, cause: unknown): OxbowError {
  if (cause instanceof OxbowError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new OxbowError('backup-failed', `${what}: ${why}.`, { cause });
}

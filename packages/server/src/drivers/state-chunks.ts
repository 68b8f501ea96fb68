/**
 * How records travel: key and value behind their lengths, in key order. Each carries its own
 * checksum, so a chunk is judged by itself, and the digest runs over the same bytes however they
 * are cut.
 */
import { createHash } from 'node:crypto';
import { OxbowError } from '@oxbow/sdk/protocol';
import type { StateChunk, StateExport, StateHead } from '../space/state-transfer.js';
import { isTravelling } from './store-keys.js';
import { damaged, isSound } from './store-records.js';

export interface TravellingRecord {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Records in key order after a key. */
export type RecordSource = (after?: Buffer) => AsyncIterable<readonly TravellingRecord[]>;

const LENGTHS_BYTES = 8;

/** The digest of all that the source has. Errors: `store-damaged`. */
export async function digestOf(source: RecordSource): Promise<string> {
  const hash = createHash('sha256');
  for await (const records of source()) {
    const sound = records.filter(mustTravelSound);
    if (sound.length > 0) hash.update(encodeRecords(sound));
  }
  return hash.digest('hex');
}

export function encodeRecords(records: readonly TravellingRecord[]): Buffer {
  let size = 0;
  for (const { key, value } of records) size += LENGTHS_BYTES + key.length + value.length;
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const { key, value } of records) {
    at = bytes.writeUInt32BE(key.length, at);
    at = bytes.writeUInt32BE(value.length, at);
    at += key.copy(bytes, at);
    at += value.copy(bytes, at);
  }
  return bytes;
}

/** Errors: `bad-snapshot`: cut short, out of order, or a record that is not what was written. */
export function decodeRecords(bytes: Uint8Array, after: Buffer | undefined): TravellingRecord[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: TravellingRecord[] = [];
  let former = after;
  for (let at = 0; at < buffer.length;) {
    if (at + LENGTHS_BYTES > buffer.length) throw badSnapshot('a chunk ends within a record');
    const keyEnd = at + LENGTHS_BYTES + buffer.readUInt32BE(at);
    const end = keyEnd + buffer.readUInt32BE(at + 4);
    if (end > buffer.length) throw badSnapshot('a chunk ends within a record');
    const key = buffer.subarray(at + LENGTHS_BYTES, keyEnd);
    const value = buffer.subarray(keyEnd, end);
    if (!isTravelling(key) || !isSound(key, value)) throw badSnapshot('a record is not what was written');
    if (former !== undefined && Buffer.compare(former, key) >= 0) throw badSnapshot('records are out of order');
    records.push({ key, value });
    former = key;
    at = end;
  }
  return records;
}

export function badSnapshot(what: string, cause?: unknown): OxbowError {
  return new OxbowError('bad-snapshot', `Cannot take the state in: ${what}. Fetch it again.`, { cause });
}

/** A picture over records; `release` lets go of what holds it still. */
export class RecordExport implements StateExport {
  readonly head: StateHead;
  readonly #source: RecordSource;
  readonly #calmSource: RecordSource;
  readonly #release: () => void;
  #isClosed = false;

  /** `calm` serves the digest, which nobody waits for. */
  constructor(
    head: StateHead, sources: { readonly brisk: RecordSource; readonly calm: RecordSource },
    release: () => void,
  ) {
    this.head = head;
    this.#source = sources.brisk;
    this.#calmSource = sources.calm;
    this.#release = release;
  }

  read(
    cursor: Uint8Array | undefined, bytesMax: number,
    done: (chunk: StateChunk | undefined, error?: Error) => void,
  ): void {
    this.#chunk(cursor, bytesMax).then(
      (chunk) => done(chunk),
      (error: unknown) => done(undefined, readError(error)),
    );
  }

  digest(done: (hex: string | undefined, error?: Error) => void): void {
    digestOf(this.#calmSource).then(
      (hex) => done(hex),
      (error: unknown) => done(undefined, readError(error)),
    );
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#release();
  }

  async #chunk(cursor: Uint8Array | undefined, bytesMax: number): Promise<StateChunk> {
    const taken: TravellingRecord[] = [];
    let bytes = 0;
    const after = cursor === undefined ? undefined : Buffer.from(cursor);
    for await (const records of this.#source(after)) {
      for (const record of records) {
        if (!mustTravelSound(record)) continue;
        const size = LENGTHS_BYTES + record.key.length + record.value.length;
        // At least one record: a chunk that carries nothing moves no cursor.
        if (taken.length > 0 && bytes + size > bytesMax) {
          return { bytes: encodeRecords(taken), next: taken.at(-1)?.key };
        }
        taken.push(record);
        bytes += size;
      }
    }
    return { bytes: encodeRecords(taken), next: undefined };
  }
}

/** Errors: `store-damaged`. */
function mustTravelSound({ key, value }: TravellingRecord): boolean {
  if (!isSound(key, value)) throw damaged('a record is not what was written');
  return isTravelling(key);
}

function readError(error: unknown): Error {
  return error instanceof OxbowError ? error : damaged('it cannot be read', error);
}

/**
 * The folder of a state store: opened, checked, replaced and set aside, so that a crash at any
 * moment leaves one whole state under the name that counts.
 *
 * A file `running` stands there while the store is open. If it is there before, the last run did
 * not end by itself, and it may have been the file that ended it (see lmdb-pages.ts): then
 * everything is read before LMDB may touch it. Small files are read at every start, for it costs
 * nothing.
 */
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { OxbowError } from '@oxbow/sdk/protocol';
import type { StorePlace } from '../space/state-store.js';
import type { ImportHead } from '../space/state-transfer.js';
import { ensureFolder } from './folder.js';
import { PageFile, type PageRecord } from './lmdb-walk.js';
import { Pace } from './pace.js';
import { metaKey, spaceOf, SPACES, type MetaName } from './store-keys.js';
import {
  damaged, isSound, openRecord, readSpaceRecord, sealOf, sealRecord, type RecordView,
} from './store-records.js';

export type Database = RootDatabase<string, Buffer>;

/** Raised when the content changes in a way that older code would misread. */
const LAYOUT = 2;
const FILE = 'data.mdb';
const INCOMING = 'incoming';
const RUNNING = 'running';
const ASIDE = 'damaged';

export interface OpenState {
  readonly database: Database;
  readonly place: StorePlace;
  /** Checksums of the names of all spaces that there are. */
  readonly spaces: Set<number>;
  readonly spaceCount: number;
}

/** Opens or creates. Errors: `store-newer`, `store-older`, `store-damaged`, `data-unavailable`. */
export async function openState(path: string, checkBytesMax: number): Promise<OpenState> {
  try {
    ensureFolder(path);
    // An import that was never finished.
    fs.rmSync(join(path, INCOMING), { recursive: true, force: true });
    await checkFile(path, endedCleanly(path) ? checkBytesMax : Infinity);
    mark(path);
  } catch (error) {
    throw openError(path, error);
  }
  return attachState(path);
}

export const hasState = (path: string): boolean => fs.existsSync(join(path, FILE));
/** Nothing is known to be missing or wrong since the last run. */
export const endedCleanly = (path: string): boolean => !fs.existsSync(join(path, RUNNING));

/** Opens a file that needs no check. Errors: as `openState`. */
export async function attachState(path: string): Promise<OpenState> {
  let database: Database | undefined;
  try {
    const isEmpty = isEmptyFile(path);
    database = openDatabase(path);
    const place = mustBeOurs(database, isEmpty);
    return { database, place, ...(await readDirectory(database)) };
  } catch (error) {
    await database?.close().catch(() => undefined);
    throw openError(path, error);
  }
}

/** An orderly end: the next start has no reason to doubt. */
export async function closeState(path: string, { database }: OpenState): Promise<void> {
  await database.close();
  fs.rmSync(join(path, RUNNING), { force: true });
  syncFolder(path);
}

/**
 * `overlappingSync` is off: with it lmdb-js calls a write done before it is on disk, and we trim
 * the log on its word. So is `eventTurnBatching`: with it lmdb-js makes promises that nobody has,
 * and that of a failed commit would end the process.
 */
export function openDatabase(path: string, options: { readonly noSync?: boolean } = {}): Database {
  return open<string, Buffer>({
    path, encoding: 'string', keyEncoding: 'binary', overlappingSync: false,
    eventTurnBatching: false, ...options,
  });
}

/**
 * Everything at once: structure, every record. Errors: `store-damaged`, `store-newer`,
 * `store-older`.
 */
export async function checkFile(path: string, checkBytesMax = Infinity): Promise<void> {
  const file = PageFile.open(path);
  if (file === undefined) return;
  const layoutKey = metaKey('layout');
  let layout: string | undefined;
  let isRotten = false;
  try {
    if (file.bytes > checkBytesMax) return;
    await file.check(Pace.brisk(), (records) => {
      for (const { key, value } of records) {
        if (key.equals(layoutKey)) layout = value.toString();
        isRotten ||= !isSound(key, value);
      }
    });
  } finally {
    file.close();
  }
  // Another layout's records are not ours to judge.
  if (layout !== undefined) mustBeLayout(layout);
  if (isRotten) throw damaged('a record is not what was written');
}

export function mustBeSound(records: readonly PageRecord[]): void {
  for (const { key, value } of records) {
    if (!isSound(key, value)) throw damaged('a record is not what was written');
  }
}

export function readMeta(database: Database, name: MetaName): string | undefined {
  const key = metaKey(name);
  const value = database.get(key);
  return value === undefined ? undefined : openRecord(key, value);
}

/** The records of a store besides its state. */
export function metaRecords(head: ImportHead): [Buffer, string][] {
  const { slot, cluster, base, isBound = true } = head;
  const records: [MetaName, string][] = [
    ['layout', String(LAYOUT)], ['history', cluster], ['bound', isBound ? '1' : '0'],
    ['applied', String(slot)],
  ];
  if (base !== undefined) records.push(['base', base]);
  return records.map(([name, text]) => {
    const key = metaKey(name);
    return [key, sealRecord(key, text)];
  });
}

/** By the file's head, for damage below it makes any tree look empty. */
function isEmptyFile(path: string): boolean {
  const file = PageFile.open(path);
  file?.close();
  return file === undefined || file.meta.main.entries === 0;
}

function mustBeOurs(database: Database, isEmpty: boolean): StorePlace {
  // The layout alone is read bare: it says how to read the rest.
  const layout = database.get(metaKey('layout'));
  if (layout === undefined) {
    if (!isEmpty) throw damaged('its head is missing');
    const history = randomUUID();
    const head = { slot: 0, cluster: history, base: undefined, isBound: false };
    database.transactionSync(() => {
      for (const [key, value] of metaRecords(head)) database.putSync(key, value);
    });
    return { history, appliedSlot: 0, isBound: false, base: undefined };
  }
  mustBeLayout(layout);
  const applied = readMeta(database, 'applied');
  const history = readMeta(database, 'history');
  if (applied === undefined || history === undefined) throw damaged('its head is missing');
  const base = readMeta(database, 'base');
  return { history, appliedSlot: Number(applied), isBound: readMeta(database, 'bound') === '1', base };
}

function mustBeLayout(layout: string): void {
  // Layout 1 had bare texts.
  const number = Number(layout.length > 8 ? openRecord(metaKey('layout'), layout) : layout);
  if (number === LAYOUT) return;
  if (number > LAYOUT) {
    throw new OxbowError(
      'store-newer',
      `Cannot open the state store: it has layout ${number}, this program knows ${LAYOUT}. ` +
        'Start the newer program, or restore a backup made by this one.',
    );
  }
  throw new OxbowError(
    'store-older',
    `Cannot open the state store: it has layout ${number}, this program reads ${LAYOUT} only. ` +
      'Start with an empty data directory; clients bring what they hold.',
  );
}

/** Which spaces there are, so that one that is hidden by damage is never taken for new. */
async function readDirectory(
  database: Database,
): Promise<{ spaces: Set<number>; spaceCount: number }> {
  const spaces = new Set<number>();
  const pace = Pace.brisk();
  let found = 0;
  for (const { key, value } of database.getRange(SPACES)) {
    readSpaceRecord(key, value);
    spaces.add(nameHash(spaceOf(key)));
    found += 1;
    await pace.maybeRest();
  }
  const spaceCount = Number(readMeta(database, 'spaces') ?? '0');
  if (found !== spaceCount) throw damaged('spaces are missing');
  return { spaces, spaceCount };
}

/** Errors: `store-damaged` if a space that there is cannot be found. */
export function mustBeNew(database: Database, spaceCount: number): void {
  if (database.getKeysCount(SPACES) !== spaceCount) throw damaged('spaces are missing');
}

export function nameHash(space: string): number {
  // A seal is a checksum; the name alone is the text.
  return sealOf(sealRecord(EMPTY, space));
}

const EMPTY = Buffer.alloc(0);

/** The records of a database as of a read transaction. */
export function viewOf(
  database: Database, transaction: ReturnType<Database['useReadTransaction']>,
): RecordView {
  return {
    get: (key) => database.get(key, { transaction }),
    range: (start, end) => database.getRange({ start, end, transaction }),
  };
}

/** A folder for a state that is taken in; on the same file system, or it could not be renamed. */
export function incomingFolder(path: string): string {
  const folder = join(path, INCOMING);
  fs.rmSync(folder, { recursive: true, force: true });
  ensureFolder(folder);
  return folder;
}

/**
 * The one step that replaces a state by what was taken in: before it the old one counts, after it
 * the new one.
 */
export function replaceFile(path: string): void {
  const from = join(path, INCOMING, FILE);
  syncFile(from);
  fs.renameSync(from, join(path, FILE));
  syncFolder(path);
  fs.rmSync(join(path, INCOMING), { recursive: true, force: true });
}

/** One is kept: the newest. */
export function setFileAside(path: string): void {
  if (!fs.existsSync(join(path, FILE))) return;
  fs.renameSync(join(path, FILE), join(path, ASIDE));
  syncFolder(path);
}

function mark(path: string): void {
  fs.closeSync(fs.openSync(join(path, RUNNING), 'w'));
  syncFolder(path);
}

function syncFile(path: string): void {
  const descriptor = fs.openSync(path, 'r+');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

function syncFolder(path: string): void {
  // Windows has no handle of a folder that could be synced, and needs none.
  if (process.platform === 'win32') return;
  const descriptor = fs.openSync(path, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

function openError(path: string, cause: unknown): OxbowError {
  if (cause instanceof OxbowError) return cause;
  if (isDamage(cause)) return damaged('LMDB refuses it', cause);
  const why = cause instanceof Error ? cause.message : String(cause);
  return new OxbowError(
    'data-unavailable',
    `Cannot open the state store '${path}': ${why}. Check that the folder is writable.`,
    { cause },
  );
}

const DAMAGE = /MDB_(CORRUPTED|PAGE_NOTFOUND|PANIC|INVALID|VERSION_MISMATCH|BAD_TXN|PROBLEM)/;

/** What LMDB says of a file that is not what it should be: MDB_CORRUPTED and its kin. */
export function isDamage(cause: unknown): boolean {
  return cause instanceof Error && DAMAGE.test(cause.message);
}

/**
 * Why a commit failed lmdb says in a promise of its own, at the error: left alone, its rejection
 * would end the process.
 */
export async function reasonOf(cause: unknown): Promise<unknown> {
  try {
    if (cause instanceof Error && 'commitError' in cause) await cause.commitError;
  } catch (reason) {
    return reason;
  }
  return cause;
}

/**
 * Backup and restore of a data directory that no server uses at the moment.
 *
 * What is restored is no longer the cluster that it came from: clients hold commits that were made
 * after the backup, and a server that counted on from the backup's slot would give their numbers to
 * others (etcd #16028: caches never noticed a restore). So the state goes in unbound, and whoever
 * starts on it founds a new cluster, whose name is the history that clients see: they take the base
 * anew, and issue anew what was not settled in it.
 */
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { OxbowError } from '@oxbow/sdk/protocol';
import type { StateStore, StorePlace } from '../space/state-store.js';
import type { StateExport, StateImport } from '../space/state-transfer.js';
import {
  backupBytes, backupName, BackupReader, saveBackup, type BackupReport,
} from './backup-file.js';
import { lockData } from './data-lock.js';
import { endedCleanly, hasState } from './lmdb-environment.js';
import { openLmdbStore } from './lmdb-store.js';

export interface SavedBackup {
  readonly path: string;
  readonly report: BackupReport;
  /**
   * False: the server was killed, and its log may hold commits that its state does not have yet.
   */
  readonly isComplete: boolean;
}

/**
 * Errors: `data-in-use`, `store-damaged`, `backup-exists`, `backup-failed`, `config-invalid` (there
 * is no state).
 */
export async function backupData(data: string, to: string, takenAt: string): Promise<SavedBackup> {
  const state = join(data, 'state');
  if (!hasState(state)) {
    throw new OxbowError('config-invalid', `There is no state in '${data}' to make a backup of.`);
  }
  const lock = await lockData(data);
  try {
    const isComplete = endedCleanly(state);
    const store = openLmdbStore({ path: state, checkBytesMax: Infinity });
    try {
      await opened(store);
      const picture = await exported(store);
      const saved = await saveBackup(backupBytes(picture, takenAt), to, backupName(takenAt));
      return { ...saved, isComplete };
    } finally {
      await new Promise<void>((done) => store.close(done));
    }
  } finally {
    await lock.release();
  }
}

/**
 * Into a directory without a state; other nodes of the new cluster start with empty ones and are
 * filled from it. Errors: `data-not-empty`, `data-in-use`, `bad-snapshot`, `backup-failed`.
 */
export async function restoreData(from: string, data: string): Promise<BackupReport> {
  const backup = BackupReader.open(from);
  try {
    for (const part of ['state', 'log']) mustBeMissing(data, part);
    const lock = await lockData(data);
    try {
      // Under a name that no server looks for, until it is whole.
      const folder = join(data, 'restoring');
      fs.rmSync(folder, { recursive: true, force: true });
      const report = await fill(folder, backup);
      fs.renameSync(folder, join(data, 'state'));
      const descriptor = fs.openSync(data, 'r');
      fs.fsyncSync(descriptor);
      fs.closeSync(descriptor);
      return report;
    } finally {
      await lock.release();
    }
  } finally {
    backup.close();
  }
}

async function fill(folder: string, backup: BackupReader): Promise<BackupReport> {
  const store = openLmdbStore({ path: folder });
  try {
    await opened(store);
    // Slot 0 would let members with empty disks take part without the state.
    const slot = Math.max(1, backup.head.slot);
    const head = { slot, cluster: randomUUID(), base: undefined, isBound: false };
    const taking = await new Promise<StateImport>((resolve, reject) => {
      store.importState(head, (found, error) =>
        (found === undefined ? reject(error ?? new Error('no import')) : resolve(found)));
    });
    for await (const bytes of backup.chunks()) await told((done) => taking.write(bytes, done));
    const report = backup.report();
    await told((done) => taking.finish(report.digest, done));
    return report;
  } finally {
    await new Promise<void>((done) => store.close(done));
  }
}

function mustBeMissing(data: string, part: string): void {
  const path = join(data, part);
  if (!fs.existsSync(path)) return;
  throw new OxbowError(
    'data-not-empty',
    `Cannot restore into '${data}': there is '${path}'. Nothing is overwritten: name another ` +
      'directory, or move this one away.',
  );
}

function opened(store: StateStore): Promise<StorePlace> {
  return new Promise((resolve, reject) => {
    store.opened((at, error) => (error === undefined ? resolve(at) : reject(error)));
  });
}

function exported(store: StateStore): Promise<StateExport> {
  return new Promise((resolve, reject) => {
    store.exportState((picture, error) =>
      (picture === undefined ? reject(error ?? new Error('no picture')) : resolve(picture)));
  });
}

function told(call: (done: (error?: Error) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => (error === undefined ? resolve() : reject(error)));
  });
}

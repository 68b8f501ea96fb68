/** `oxbow backup` and `oxbow restore`: what a person types, and what it says. */
import { Command } from 'commander';
import { OxbowError } from '@oxbow/sdk/protocol';
import { backupData, restoreData } from '../drivers/backup-data.js';
import { backupName, saveBackup, verifyBackup, type BackupReport } from '../drivers/backup-file.js';
import { adminToken } from './admin-token.js';
import { nodeUrl } from './node-url.js';

interface BackupFlags {
  readonly to: string;
  readonly data?: string;
  readonly url?: string;
  readonly adminTokenFile?: string;
  readonly clusterSecretFile?: string;
}

interface RestoreFlags {
  readonly from: string;
  readonly data: string;
}

export function backupCommand(): Command {
  return new Command('backup')
    .description('Writes all state into one file, checked by reading it back: of a running server (--url) or a stopped one (--data).')
    .option('--to <path>', 'file to write, which must not exist, or a folder to make one in')
    .option('--data <folder>', 'data directory of a server that is stopped')
    .option('--url <url>', 'a running server: http://127.0.0.1:8787')
    .option('--admin-token-file <file>', 'the token of its operators, for --url')
    .option('--cluster-secret-file <file>', 'the cluster\'s secret, instead of that token')
    .action((flags: BackupFlags) => backup(flags))
    .addCommand(new Command('verify')
      .description('Reads a backup to its end and checks all of it.')
      .argument('<file>', 'the backup')
      .action(async (file: string) => console.log(sentence(await verifyBackup(file)))));
}

export function restoreCommand(): Command {
  return new Command('restore')
    .description('Fills a new data directory from a backup. The server that starts on it founds a new cluster; clients notice.')
    .requiredOption('--from <file>', 'the backup')
    .requiredOption('--data <folder>', 'a data directory without state; created if missing')
    .action(async (flags: RestoreFlags) => {
      const report = await restoreData(flags.from, flags.data);
      console.log(`${sentence(report)}\nRestored into '${flags.data}'. Start one node on it; others join with empty directories.`);
    });
}

async function backup(flags: BackupFlags): Promise<void> {
  if (flags.to === undefined) throw invalid('say where to write it: --to <path>');
  const takenAt = new Date().toISOString();
  if (flags.data !== undefined && flags.url === undefined) {
    const { path, report, isComplete } = await backupData(flags.data, flags.to, takenAt);
    console.log(`${sentence(report)}\n${path}`);
    if (isComplete) return;
    console.error('The server on this data was killed: what it acknowledged last may be in its log only. ' +
      'For a complete backup start it, stop it, and make another.');
  } else if (flags.url !== undefined && flags.data === undefined) {
    const bytes = await fetchBackup(flags.url, flags);
    const { path, report } = await saveBackup(bytes, flags.to, backupName(takenAt));
    console.log(`${sentence(report)}\n${path}`);
  } else {
    throw invalid('give either --data (a stopped server) or --url (a running one)');
  }
}

/** Errors: `backup-failed`. */
async function fetchBackup(
  url: string, { adminTokenFile, clusterSecretFile }: BackupFlags,
): Promise<AsyncIterable<Uint8Array>> {
  if (adminTokenFile === undefined && clusterSecretFile === undefined) {
    throw invalid('a running server wants --admin-token-file or --cluster-secret-file');
  }
  const token = adminToken({ adminTokenFile, clusterSecretFile });
  const address = new URL('/cluster/backup', nodeUrl(url));
  let response: Response;
  try {
    response = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
  } catch (cause) {
    throw new OxbowError('backup-failed', `Cannot reach ${address.href}: is the server running?`, { cause });
  }
  if (response.ok && response.body !== null) return response.body;
  const said = (await response.text()).slice(0, 500);
  throw new OxbowError('backup-failed', `The server at ${address.origin} said ${response.status}: ${said}`);
}

function sentence({ slot, takenAt, records, spaces, bytes, digest }: BackupReport): string {
  return `Whole: slot ${slot}, taken ${takenAt}, ${spaces} spaces, ${records} records, ` +
    `${bytes} bytes, SHA-256 ${digest}`;
}

function invalid(what: string): OxbowError {
  return new OxbowError('config-invalid', `Cannot make a backup: ${what}.`);
}

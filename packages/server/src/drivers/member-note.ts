/**
 * What a node keeps on its disk beside the log: under which id, and where its cluster began. The id
 * is on disk before anyone hears it: a configuration that names an id which its owner has forgotten
 * would lack a voter for ever. And it outlives the log: a node whose log is gone must not take
 * itself for a fresh one.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { OxbowError } from '@oxbow/sdk/protocol';
import { configurationOf } from '../cluster/cluster-message.js';
import { isMemberId } from '../cluster/node-name.js';
import type { MemberId } from '../paxos/ballot.js';
import type { Configuration } from '../paxos/configuration.js';

export type MemberNote =
  | { readonly kind: 'fresh'; readonly id: MemberId }
  | { readonly kind: 'forgetful'; readonly id: MemberId; readonly cluster: string }
  | {
      readonly kind: 'member';
      readonly id: MemberId;
      readonly cluster: string;
      readonly first: Configuration | undefined;
      /** Its log has begun: if there is none, it was lost. */
      readonly isLogged: boolean;
    };

export interface MemberNotes {
  /** Undefined: there is none, or none that can be read. Errors: `data-unavailable`. */
  read(): MemberNote | undefined;
  /** On disk when it returns. Errors: `data-unavailable`. */
  write(note: MemberNote): void;
}

const FILE = 'member.json';

/** Within the data directory. Small, rare: written while others wait. */
export function memberNotes(folder: string): MemberNotes {
  const path = join(folder, FILE);
  return {
    read: () => guarded(path, () => (fs.existsSync(path) ? parse(fs.readFileSync(path, 'utf8')) : undefined)),
    write: (note) => guarded(path, () => replace(folder, path, `${JSON.stringify(note, undefined, 2)}\n`)),
  };
}

function parse(text: string): MemberNote | undefined {
  const { kind, id, cluster, first, isLogged } = fieldsOf(text);
  if (!isMemberId(id)) return undefined;
  if (kind === 'fresh') return { kind, id };
  if (typeof cluster !== 'string') return undefined;
  if (kind === 'forgetful') return { kind, id, cluster };
  if (kind !== 'member') return undefined;
  return { kind, id, cluster, first: configurationOf(first), isLogged: isLogged !== false };
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    // Damaged: the log says who the node is, or it comes back as a stranger under its name.
    return {};
  }
}

/** Whole or not at all, whatever happens: written beside, synced, renamed, the folder synced. */
function replace(folder: string, path: string, text: string): void {
  const beside = `${path}.new`;
  const file = fs.openSync(beside, 'w');
  try {
    fs.writeFileSync(file, text);
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
  fs.renameSync(beside, path);
  const directory = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(directory);
  } finally {
    fs.closeSync(directory);
  }
}

function guarded<T>(path: string, task: () => T): T {
  try {
    return task();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `Cannot use '${path}': ${why}. Check that the disk is mounted, writable and not full.`;
    throw new OxbowError('data-unavailable', message, { cause });
  }
}

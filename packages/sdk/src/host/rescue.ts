/**
 * Carries unsynced updates out of a replica in a file, and into another one: the last resort when a
 * disk fails, a server is gone, or a browser is given up. Updates keep their ids, and the server
 * takes those of one user from any replica of that user, so each happens once, whether the file,
 * its former replica or both reach the server.
 */
import type { AppDefinition } from '../model/index.js';
import type { Clock } from '../drivers/clock.js';
import { readBundle, updatesIn, writeBundle } from '../protocol/bundle.js';
import { OxbowError, type SpaceId, type UpdateId } from '../protocol/index.js';
import type { Stall } from '../replica/health.js';
import type { SpaceReplica } from '../replica/space.js';
import { holderOf, unsettledUpdates } from '../replica/unsynced.js';
import { CarriedUpdate } from './carried-update.js';
import type { Closing, Waiting } from './closing.js';
import { Receipt, type ReceiptParts } from './receipt.js';
import { decodeUnsynced, encodeUnsynced, type UnsyncedSpace } from './unsynced-file.js';

interface Opened<A extends AppDefinition> {
  readonly replica: SpaceReplica<A>;
  readonly space: {
    readonly health: { readonly stalled: Stall | undefined };
    receipt(id: UpdateId): Receipt | undefined;
  };
}

export interface RescueParts<A extends AppDefinition> {
  readonly app: A;
  readonly user: string | null;
  readonly clock: Pick<Clock, 'after'>;
  readonly closing: Closing;
  readonly open: (space: SpaceId, waiting?: Waiting) => Promise<Opened<A>>;
}

export interface ImportOptions extends Waiting {
  /** For what the updates build on to come from the server. Default: 30,000. */
  readonly timeoutMs?: number;
}

/**
 * What was found in a file, and taken: a receipt of each update, by space. As they were written
 * elsewhere, they go from `local` to `committed` in one step, are not in `conflicts`, and are taken
 * back where they were written. The same file gives them again after a restart.
 */
export type Imported = Readonly<Record<string, readonly Receipt[]>>;

/** `spaces`: open or not, all that may have something. */
export async function exportUnsynced<A extends AppDefinition>(
  { app, user, open }: RescueParts<A>, spaces: readonly SpaceId[],
): Promise<Uint8Array> {
  const found: UnsyncedSpace[] = [];
  for (const space of spaces) {
    const { replica } = await open(space);
    const updates = unsettledUpdates(replica);
    if (updates.length === 0) continue;
    const { history } = replica.summary();
    const bundle = writeBundle(space, holderOf(updates));
    found.push({ space, history, updates: updates.length, bundle });
  }
  return encodeUnsynced({ app: app.name, user, spaces: found });
}

/** Errors: `bad-bundle`, `bundle-other-user`, `bundle-other-app`, `bundle-gap`, those of `open`. */
export async function importUnsynced<A extends AppDefinition>(
  parts: RescueParts<A>, bytes: Uint8Array, options: ImportOptions,
): Promise<Imported> {
  const { app, user, spaces } = decodeUnsynced(bytes);
  if (app !== parts.app.name) {
    throw new OxbowError('bundle-other-app', `The file is of the app '${app}', this is '${parts.app.name}'.`);
  }
  if (user !== null && parts.user !== null && user !== parts.user) {
    throw new OxbowError('bundle-other-user', `The file is of '${user}', here is '${parts.user}'. Sign in as who wrote it.`);
  }
  const imported: Record<string, readonly Receipt[]> = {};
  for (const one of spaces) imported[one.space] = await importSpace(parts, one, options);
  return imported;
}

/** At once, or as soon as what the updates build on has come from the server. */
async function importSpace<A extends AppDefinition>(
  { open, closing, clock }: RescueParts<A>, one: UnsyncedSpace,
  { signal, timeoutMs = 30_000 }: ImportOptions,
): Promise<readonly Receipt[]> {
  const { replica, space } = await open(one.space, { signal });
  await closing.race<void>((resolve, reject) => {
    let lack: unknown;
    const attempt = (): void => {
      try {
        take(one, replica);
        resolve();
      } catch (error) {
        if (!isGap(error)) reject(error);
        else lack = error;
      }
    };
    const stop = replica.subscribe(attempt);
    const cancel = clock.after(timeoutMs, () => reject(lack));
    attempt();
    return () => {
      stop();
      cancel();
    };
  }, { signal });
  const parts: ReceiptParts = {
    closing, undo: () => { throw writtenElsewhere(); }, stalled: () => space.health.stalled,
  };
  return updatesIn(one.bundle).map((update) =>
    space.receipt(update.id) ?? new Receipt(new CarriedUpdate(update, replica), parts));
}

function take<A extends AppDefinition>(one: UnsyncedSpace, replica: SpaceReplica<A>): void {
  const { history } = replica.summary();
  if (one.history !== '' && history !== one.history) {
    const why = history === '' ? 'nothing has come from the server yet' : 'the server counts in another history';
    throw new OxbowError('bundle-gap', `Cannot take the updates of '${one.space}': ${why}.`);
  }
  readBundle(one.bundle, replica, 'updates');
}

const writtenElsewhere = (): OxbowError => new OxbowError(
  'undo-unknown',
  'It was written by another replica: take it back there, or write what does.',
);

const isGap = (error: unknown): boolean =>
  error instanceof OxbowError && error.code === 'bundle-gap';

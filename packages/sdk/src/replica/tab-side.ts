/**
 * A space as one of several tabs of a profile holds it. One of them keeps the disk (the keeper),
 * the others hand it what they write and hear from it what the disk has. Which of them keeps
 * changes: these are the steps from the one to the other, each of which loses nothing.
 */
import type { AppDefinition } from '../model/index.js';
import {
  invariant, isSeatOf, updateKey, type ReplicaId, type UpdateId, type VersionVector,
} from '../protocol/index.js';
import type { ConflictRecord } from './conflict.js';
import type { SpaceReplica } from './space.js';
import type { UndoRecord } from './undo.js';

type Space<A extends AppDefinition> = Pick<SpaceReplica<A>, 'insides'>;

/** Updates of the profile's seats: on the keeper's disk, and held by others, too. */
export interface Kept {
  readonly saved: VersionVector;
  readonly shared: VersionVector;
}

/** Everything that was ever written under that seat is known here: it goes on after it. */
export function takeSeat<A extends AppDefinition>({ insides }: Space<A>, seat: number): void {
  const { state } = insides;
  state.seat = seat;
  state.nextSeq = Math.max(state.nextSeq, state.knownSeq(state.replica) + 1);
  state.heldChanged();
}

/** From now on we keep the disk, which holds what we hold or is about to. */
export function becomeKeeper<A extends AppDefinition>({ insides: { state } }: Space<A>): void {
  state.isKeeper = true;
  state.heldChanged();
}

/** Another program keeps the disk now. What is not on it of ours goes to it. */
export function becomeFollower<A extends AppDefinition>(space: Space<A>): void {
  const { insides: { state } } = space;
  if (!state.isKeeper) return;
  state.isKeeper = false;
  forgetUnkept(space);
  const { log } = state.ground;
  for (const entry of log.unreleasedOwn()) log.release(entry);
  state.heldChanged();
}

/**
 * The disk goes to another program. What other tabs had brought and the disk perhaps never got is
 * theirs to bring again, as nobody was told that it is saved; and if they are gone, whoever has
 * their seat after them gives its numbers to other updates.
 */
export function forgetUnkept<A extends AppDefinition>({ insides }: Space<A>): void {
  const { state, settler } = insides;
  settler.forget(state.ground.log.entries.filter(({ own, stage, update: { id } }) =>
    own && stage === 'local' && id.replica !== state.replica));
  state.heldChanged();
  insides.changed();
}

/** What was written here is on the keeper's disk: other tabs see to theirs. */
export function isSeatKept<A extends AppDefinition>({ insides: { state } }: Space<A>): boolean {
  const { ground: { log }, replica } = state;
  return log.get({ replica, seq: log.lastSeq(replica) ?? 0 })?.stage !== 'local';
}

/** The keeper tells how far the profile's updates have come. */
export function toldKept<A extends AppDefinition>(
  { insides: { state }, stages }: Pick<SpaceReplica<A>, 'insides' | 'stages'>,
  { saved, shared }: Kept,
): void {
  state.savedByKeeper = saved;
  stages.raise('saved', saved);
  stages.raise('shared', shared);
}

/** How far they have come, as the keeper sees it. */
export function keptOf<A extends AppDefinition>({ insides: { state } }: Space<A>): Kept {
  const saved: Record<ReplicaId, number> = {};
  const shared: Record<ReplicaId, number> = {};
  for (const { own, stage, update: { id: { replica, seq } } } of state.ground.log.entries) {
    if (!own || stage === 'local') continue;
    saved[replica] = Math.max(saved[replica] ?? 0, seq);
    if (stage === 'shared') shared[replica] = Math.max(shared[replica] ?? 0, seq);
  }
  return { saved, shared };
}

/** The keeper has given the profile another id here; our updates follow when all is known. */
export function rename<A extends AppDefinition>({ insides }: Space<A>, profile: ReplicaId): void {
  const { state } = insides;
  if (profile === state.profile && state.nextProfile === undefined) return;
  if (profile === state.nextProfile) return;
  if (state.seat === undefined) {
    state.profile = profile;
    state.heldChanged();
    return;
  }
  state.nextProfile = profile;
  if (state.lost === undefined) insides.withhold();
  else insides.owner.identityLost(state.lost);
}

/**
 * What was issued anew is not on the disk yet, and so in no summary: a tab that believed that would
 * take it for lost, and issue its part of it anew once more.
 */
export function isBeingRenamed<A extends AppDefinition>({ insides }: Space<A>): boolean {
  const unkept = insides.state.ground.log.unreleasedOwn();
  return unkept.some(({ update: { formerly } }) => formerly !== undefined);
}

/**
 * All that the keeper held when it gave the profile its new id is here: what is left of ours under
 * the former one never reached it, and goes out under the new one. What is left of other tabs is
 * theirs.
 */
export function followRename<A extends AppDefinition>(
  { insides, reissue }: Space<A> & { reissue(profile: ReplicaId): void },
): void {
  const { state, settler } = insides;
  const { nextProfile, replica, ground: { log } } = state;
  invariant(nextProfile, 'a profile is renamed before it is followed');
  settler.forget(log.entries.filter(({ own, update: { id } }) =>
    own && id.replica !== replica && !isSeatOf(nextProfile, id.replica)));
  reissue(nextProfile);
  for (const entry of log.unreleasedOwn()) log.release(entry);
  state.heldChanged();
  insides.owner.pump();
}

/** The list of conflicts as the keeper has it. */
export function replaceConflicts<A extends AppDefinition>(
  { insides }: Space<A>, records: readonly ConflictRecord[],
): void {
  const { conflicts } = insides.state;
  const wanted = new Set(records.map(({ id }) => updateKey(id)));
  for (const { id } of conflicts.list) if (!wanted.has(updateKey(id))) conflicts.remove(id);
  for (const record of records) {
    const known = conflicts.get(record.id);
    if (known?.outcome.kind !== record.outcome.kind) conflicts.put(record);
  }
  insides.changed();
}

/** What can be taken back, as far as that was not done yet. */
export function takeUndos<A extends AppDefinition>(
  { insides: { state } }: Space<A>, records: readonly UndoRecord[],
): void {
  for (const record of records) {
    const isDone = state.undoOf(record.id) ?? state.undos.doneFor(record.id);
    if (isDone === undefined && state.undos.get(record.id) === undefined) state.undos.put(record);
  }
}

/** Another tab has acknowledged it. */
export function forgetConflict<A extends AppDefinition>(
  { insides }: Space<A>, id: UpdateId,
): boolean {
  const { conflicts } = insides.state;
  if (conflicts.get(id) === undefined) return false;
  conflicts.remove(id);
  insides.owner.changes.conflictRemoved(id);
  insides.changed();
  return true;
}

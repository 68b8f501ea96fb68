/**
 * The log as the disk gave it back. Its updates are on disk, so all may be passed on; stamp order
 * respects causality, so it is a good order of arrival. What is of no use any more, or was damaged,
 * is sorted out here.
 */
import type { AppDefinition } from '../model/index.js';
import type { ReplicaId, UpdateId } from '../protocol/index.js';
import type { StoredUpdate } from './changes.js';
import { LogEntry } from './log.js';
import { replayAll } from './rebase.js';
import type { SpaceState } from './state.js';

/**
 * Fills the empty log. Returns others' updates that are settled or follow a hole: they come again.
 */
export function restoreLog<A extends AppDefinition>(
  state: SpaceState<A>, stored: readonly StoredUpdate[],
): readonly UpdateId[] {
  const { log } = state.ground;
  const useless: UpdateId[] = [];
  const entries: LogEntry[] = [];
  const last = new Map<ReplicaId, number>();
  for (const { update } of stored.toSorted(bySeq)) {
    const { replica, seq } = update.id;
    const own = state.isOurs(replica);
    const next = (last.get(replica) ?? state.ledger.seqOf(replica)) + 1;
    if (seq !== next) {
      // One of ours cannot go out any more as it is; it is not lost for that.
      if (own) state.lost ??= 'damaged';
      else {
        useless.push(update.id);
        continue;
      }
    }
    last.set(replica, seq);
    entries.push(new LogEntry(update, own, state.userOf(replica)));
    state.lamport = Math.max(state.lamport, update.lamport);
  }
  log.insert(entries);
  for (const entry of log.entries) {
    if (entry.own) entry.stage = 'saved';
    log.release(entry);
  }
  replayAll(state.ground);
  state.nextSeq = Math.max(state.nextSeq, state.knownSeq(state.replica) + 1);
  state.heldChanged();
  return useless;
}

const bySeq = ({ update: { id: a } }: StoredUpdate, { update: { id: b } }: StoredUpdate): number =>
  a.seq - b.seq;

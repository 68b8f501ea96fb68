/**
 * What a tab holds in memory and what the disk holds, when the tab takes the disk over. Each may
 * have what the other lacks: commits that the former keeper wrote and had no time to tell, updates
 * of other tabs; and here, commits that it told and had no time to write, own updates on their way
 * to it. It is anti-entropy between two replicas in one place, so it needs no messages; afterwards
 * both hold the same.
 */
import type { AppDefinition } from '../model/index.js';
import { invariant, type CommitEntry, type ReceivedBase, type Update } from '../protocol/index.js';
import type { SpaceReplica } from './space.js';

/** Gives `memory` all that only `disk` has. */
export function fromDisk<A extends AppDefinition>(
  memory: SpaceReplica<A>, disk: SpaceReplica<A>,
): void {
  const [ours, theirs] = [memory.summary(), disk.summary()];
  // Where they tell different histories, the disk's is what the former keeper took for good.
  if (isForeign(ours.history, theirs.history)) memory.receiveBase(baseOf(disk));
  else if (theirs.csn > ours.csn) catchUp(memory, disk);
  give(disk, memory);
}

/** Gives `disk` all that only `memory` has. Returns the updates that it lacked. */
export function toDisk<A extends AppDefinition>(
  memory: SpaceReplica<A>, disk: SpaceReplica<A>,
): readonly Update[] {
  if (memory.summary().csn > disk.summary().csn) catchUp(disk, memory);
  const given = give(memory, disk);
  const { state } = disk.insides;
  const isThere = ({ id }: Update): boolean =>
    state.held(id) !== undefined || id.seq <= state.settledSeq(id.replica);
  invariant(given.every(isThere), 'the disk takes all that memory holds');
  return given;
}

const isForeign = (ours: string, theirs: string): boolean =>
  ours !== '' && theirs !== '' && ours !== theirs;

function catchUp<A extends AppDefinition>(behind: SpaceReplica<A>, ahead: SpaceReplica<A>): void {
  const entries = ahead.entriesAfter(behind.summary().csn, Infinity);
  const isTaken = entries !== 'trimmed' && take(behind, ahead.summary().history, entries);
  if (!isTaken) behind.receiveBase(baseOf(ahead));
}

function take<A extends AppDefinition>(
  behind: SpaceReplica<A>, history: string, entries: readonly CommitEntry[],
): boolean {
  return behind.receiveCommits(history, entries).kind === 'ok';
}

function give<A extends AppDefinition>(
  from: SpaceReplica<A>, to: SpaceReplica<A>,
): readonly Update[] {
  const { state } = to.insides;
  const lacking = from.tentative.filter(({ id }) =>
    state.held(id) === undefined && id.seq > state.settledSeq(id.replica));
  to.receiveUpdates(lacking);
  return lacking;
}

function baseOf<A extends AppDefinition>(space: SpaceReplica<A>): ReceivedBase {
  const { pages, ...head } = space.snapshot();
  const all: ReceivedBase['pages'][number][] = [];
  const next = pages();
  for (let page = next.next(); page.done !== true; page = next.next()) all.push(page.value);
  return { ...head, pages: all };
}

/** The planted bugs: one mistake each, of a kind that comparable systems have shipped. */
import type { PlantedBug } from './planted.js';

const sdk = 'packages/sdk/src';
const server = 'packages/server/src';

export const BUGS: readonly PlantedBug[] = [
  {
    name: 'skip-the-fsync',
    what: 'the log says durable as soon as it has written',
    file: `${server}/log/segment-row.ts`,
    find: 'this.#sync(current.file, () => {',
    put: '((_file: unknown, done: () => void) => done())(current.file, () => {',
  },
  {
    name: 'acknowledge-before-durable',
    what: 'a group is told as durable while its sync is under way',
    file: `${server}/log/segment-log.ts`,
    find: `    this.#writeAndSync(bytes, () => {
      this.#durableLinks = upTo;`,
    put: `    this.#durableLinks = upTo;
    this.#tell();
    this.#writeAndSync(bytes, () => {`,
  },
  {
    name: 'drop-the-dedupe',
    what: 'the server forgets at a restart which updates it has settled',
    file: `${server}/space/ledger.ts`,
    find: 'for (const line of stored) {',
    put: 'for (const line of stored.slice(0, 0)) {',
  },
  {
    name: 'replay-without-checks',
    what: 'a client replays an update without its check',
    file: `${sdk}/replica/runner.ts`,
    find: `    const parsed = (entry.parsed ??= this.parse(update));`,
    put: `    let parsed = (entry.parsed ??= this.parse(update));
    if (entry.execution !== undefined && parsed.kind === 'ready') {
      const { check: _, ...definition } = parsed.definition;
      parsed = { ...parsed, definition };
    }`,
  },
  {
    name: 'hole-in-the-vector',
    what: 'a replica sends its newest update and leaves out the one before',
    file: `${sdk}/replica/space.ts`,
    find: 'const updates = run.filter(({ own }) => !(own && isWithheld)).map(({ update }) => update);',
    put: 'const updates = run.filter(({ own }) => !(own && isWithheld)).map(({ update }) => update).filter((u) => u.id.seq % 5 !== 0);',
  },
  {
    name: 'notice-for-an-unknown-update',
    what: 'a commit comes without its body to a replica that does not hold the update',
    file: `${sdk}/protocol/exchange-sender.ts`,
    find: 'const entry = isHeld ? bareEntry(full) : full;',
    put: 'const entry = isHeld || full.csn % 2 === 0 ? bareEntry(full) : full;',
  },
  {
    name: 'overlay-ignores-ranges',
    what: 'a rebase looks at the keys that were read, not at the ranges',
    file: `${sdk}/replica/touch.ts`,
    find: 'if (touches !== undefined && this.#meetsRange(touches, range, rank)) return true;',
    put: 'if (touches?.size === 0 && this.#meetsRange(touches, range, rank)) return true;',
  },
  {
    name: 'feed-skips-on-reconnect',
    what: 'the feed goes on from its own end instead of where the client stands',
    file: `${sdk}/protocol/exchange-sender.ts`,
    find: '    this.#csn = open.summary.csn;\n    this.#transfer = undefined;',
    put: `    this.#csn = open.summary.csn > 0
      ? Math.max(open.summary.csn, this.#config.holder.summary().csn - 1) : open.summary.csn;
    this.#transfer = undefined;`,
  },
  {
    name: 'saved-too-early',
    what: 'a receipt says saved when the write has only been handed over',
    file: `${sdk}/replica/save-queue.ts`,
    find: '    this.#config.out.persist(this.#batch.flatMap((change) => change.ops), this.#token);',
    put: `    this.#config.out.persist(this.#batch.flatMap((change) => change.ops), this.#token);
    for (const change of this.#batch) change.saved?.();`,
  },
  {
    name: 'trimmed-taken-for-empty',
    what: 'a server whose kept log no longer reaches back sends what it has left',
    file: `${server}/space/kept-log.ts`,
    find: `if (csn + 1 < this.#first) return 'trimmed';`,
    put: '',
  },
  {
    name: 'snapshot-of-the-future',
    what: 'a full transfer shows entries that are not chosen yet',
    file: `${server}/space/actor.ts`,
    find: 'return this.#held.head.csn <= this.#chosenCsn ? this.#held : undefined;',
    put: 'return this.#held;',
  },
  {
    name: 'issued-anew-too-early',
    what: 'own updates leave under a fresh id before it is known which of them are settled',
    file: `${sdk}/replica/machine.ts`,
    find: "if (slot.isReissueForced || (!slot.isWaiting && lost !== 'base-lost')) return true;",
    put: "if (lost !== 'base-lost') return true;",
  },
  {
    name: 'rival-taken-for-ours',
    what: 'what a copy of the store wrote under a number of ours is taken for ours',
    file: `${sdk}/replica/kept-log.ts`,
    find: 'return lamport === update.lamport\n',
    put: 'return true || lamport === update.lamport\n',
  },
  {
    name: 'deleted-store-half-restored',
    what: 'a store that was deleted while it was open is written anew without the tentative updates',
    file: `${sdk}/replica/layout.ts`,
    find: '    for (const update of held.tentative) this.updateAdded({ update });\n',
    put: '',
  },
  {
    name: 'blind-to-own-commit-order',
    what: 'an own commit takes its versions away without running those below it again',
    file: `${sdk}/replica/touch.ts`,
    find: 'return touch !== undefined && this.#before(touch, rank) !== this.#now(touch, rank);',
    put: 'return touch !== undefined && touch.oldBase !== this.#now(touch, rank) && rank > 3;',
  },
  {
    name: 'needs-decided-by-the-author-alone',
    what: 'the server executes what stands on a refused update, whatever its author chose',
    file: `${server}/space/actor.ts`,
    find: 'const refusal = refusalByNeeds(update.needs, (id) => this.#refusals.standingOf(id));',
    put: 'const refusal = refusalByNeeds(undefined, (id) => this.#refusals.standingOf(id));',
  },
  {
    name: 'needs-forgotten-at-a-restart',
    what: 'what was refused before the server woke up counts as done',
    file: `${sdk}/model/needs.ts`,
    find: 'if (!this.#hasLooked) this.#look();',
    put: 'this.#floors.clear();',
  },
  {
    name: 'needs-asked-once',
    what: 'a replica does not look again at what stands on an update that is refused meanwhile',
    file: `${sdk}/replica/rebase.ts`,
    find: 'const isDue = entry.stale || isRefusalNew(this.#ground, entry);',
    put: 'const isDue = entry.stale || (isRefusalNew(this.#ground, entry) && false);',
  },
  {
    name: 'upgrader-skipped',
    what: 'arguments of an older version reach the mutation as they are',
    file: `${sdk}/model/parse-args.ts`,
    find: 'lifted = lift(copyValue(lifted));',
    put: 'lifted = copyValue(lifted);',
  },
  {
    name: 'rows-lifted-twice',
    what: 'a leader that finds a space half lifted begins anew',
    file: `${server}/space/lift.ts`,
    find: 'if (formAt(form, name, key) === to) continue;',
    put: '',
  },
  {
    name: 'lifted-rows-kept',
    what: 'a client that is newer than the server keeps rows as it shows them, and lifts them again',
    file: `${sdk}/replica/settlement.ts`,
    find: 'shown === entry.effects ? effects : entry.effects, body);',
    put: 'effects, body);',
  },
  {
    name: 'older-server-leads-on',
    what: 'a server that is set back executes on rows of a newer version of the app',
    file: `${server}/space/lift.ts`,
    find: 'formOf(tables).version > app.version;',
    put: 'formOf(tables).version > app.version + 1;',
    world: 'cluster',
  },
  {
    name: 'inbox-in-memory',
    what: 'a conflict is shown and not written down',
    file: `${sdk}/replica/settlement.ts`,
    find: '    changes.conflictPut(record);\n',
    put: '',
  },
  {
    name: 'rolled-back-unsaid',
    what: 'what a restored server has forgotten of ours vanishes from us without a word',
    file: `${sdk}/replica/settlement.ts`,
    find: 'if (gone !== undefined) this.#rollBack(gone);',
    put: 'void gone;',
  },
  {
    name: 'rolled-back-uncounted',
    what: 'what is in the kept log is told of, and what has left it is not',
    file: `${sdk}/replica/rolled-back.ts`,
    find: 'if (isOwn(replica)) forgotten += Math.max(0, seq - after.seqOf(replica));',
    put: 'void [replica, seq];',
  },
  {
    name: 'restored-and-issued-anew',
    what: 'an update that the restored state holds is issued anew, as its commit was never heard of',
    file: `${sdk}/replica/settlement.ts`,
    find: 'if (id.seq <= ledger.seqOf(id.replica)) {',
    put: 'if (!isNewHistory && id.seq <= ledger.seqOf(id.replica)) {',
  },
  {
    name: 'newer-update-refused-for-good',
    what: 'a server that is set back runs an update of a newer version of the app as well as it can',
    file: `${server}/space/actor.ts`,
    find: 'if (isNewer(update, this.#config.app)) {',
    put: 'if (isNewer(update, this.#config.app) && false) {',
  },
  {
    name: 'issued-anew-in-the-present-version',
    what: 'an update of an older version is issued anew as one of the present, its arguments as they were',
    file: `${sdk}/replica/settlement.ts`,
    find: 'const { name, version, args, at, needs, app } = old.update;',
    put: `const { name, args, at, needs, app } = old.update;
    const version = state.runner.app.definitions.get(name)?.version ?? 1;`,
  },
  {
    name: 'undo-in-memory',
    what: 'what takes an update back is kept in memory and not written down',
    file: `${sdk}/replica/settlement.ts`,
    find: 'this.#witness.changes.undoPut(record);',
    put: '',
  },
  {
    name: 'undo-not-lifted',
    what: 'what an older version kept for taking an update back is asked of the newer one as it is',
    file: `${sdk}/replica/taking-back.ts`,
    find: 'space.write(record.name, space.state.runner.lift(record), { id });',
    put: 'space.write(record.name, record.args, { id });',
  },
  {
    name: 'undo-done-twice',
    what: 'a second undo of the same update is an update of its own',
    file: `${sdk}/replica/taking-back.ts`,
    find: 'if (done !== undefined) return done;',
    put: 'if (done !== undefined && log.get(id) === undefined) return done;',
  },
];

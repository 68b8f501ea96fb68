/** Planted in what holds a node together: log, disk, links, state. One mistake each. */
import type { PlantedBug } from '../planted.js';

const server = 'packages/server/src';

const bugs: readonly Omit<PlantedBug, 'world'>[] = [
  {
    name: 'votes-leave-before-the-disk',
    what: 'what must wait for the disk is sent while the disk is at work',
    file: `${server}/log/member-run.ts`,
    find: 'this.#options.wal.flushed(this.#onFlushed);',
    put: 'this.#options.wal.flushed(() => undefined);\n    this.#flushed();',
  },
  {
    name: 'damage-taken-for-a-torn-tail',
    what: 'a log whose middle cannot be read goes on from what is before it',
    file: `${server}/log/scan.ts`,
    find: 'return { links, last, offset, isDamaged: proves(segment, offset, last) };',
    put: 'return { links, last, offset, isDamaged: false };',
  },
  {
    name: 'marks-prove-nothing',
    what: 'the last group that was synced counts as torn, though a mark says that it was on disk',
    file: `${server}/log/scan.ts`,
    find: 'if (link !== undefined && (last === undefined || link.durable >= missing)) return true;',
    put: `const isProof = link !== undefined && (last === undefined || link.durable >= missing);
    if (isProof && link.kind === 'record') return true;`,
  },
  {
    name: 'lost-log-taken-for-a-new-one',
    what: 'a node that lost its log goes on under its old identity',
    file: `${server}/host/cluster-host.ts`,
    find: 'const id = makeMemberId(this.#parts.node, this.#parts.randomText());\n    this.#parts.notes.write({ kind: \'forgetful\', id, cluster });',
    put: `const former = this.#parts.notes.read();
    if (former?.kind === 'member') this.#parts.notes.write({ ...former, isLogged: false });
    void cluster;`,
  },
  {
    name: 'barrier-without-the-log',
    what: 'a linearizable read is answered from what is here',
    file: `${server}/host/node-host.ts`,
    find: 'barrier: (tag) => log.barrier((slot) =>',
    put: 'barrier: (tag) => ((done: (slot: number) => void) => clock.soon(() => done(0)))((slot) =>',
  },
  {
    name: 'ledger-left-behind',
    what: 'a state that travels leaves behind which updates are settled',
    file: `${server}/drivers/store-keys.ts`,
    find: 'return kind === KIND.meta ? key.equals(SPACES_KEY) : kind <= KIND.row;',
    put: 'return kind === KIND.meta ? key.equals(SPACES_KEY) : kind <= KIND.row && kind !== KIND.ledger;',
  },
];

export const CLUSTER_BUGS: readonly PlantedBug[] = bugs.map((bug) => ({ ...bug, world: 'cluster' }));

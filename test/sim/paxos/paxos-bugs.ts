/**
 * Planted in the Paxos machine and in the glue of its world: one mistake each, as other systems
 * made them.
 */
import type { PlantedBug } from '../planted.js';

const paxos = 'packages/server/src/paxos';
const sim = 'test/sim/paxos';

const bugs: readonly Omit<PlantedBug, 'world'>[] = [
  {
    name: 'promise-not-synced',
    what: 'a promise leaves before it is on disk',
    file: `${paxos}/voter.ts`,
    find: 'effects.afterPersist(from, part);',
    put: 'effects.send(from, part);',
  },
  {
    name: 'accepted-before-durable',
    what: 'a follower says accepted while its disk is still at it',
    file: `${paxos}/follower.ts`,
    find: `    effects.afterPersist(leader, {
      kind: 'accepted',`,
    put: `    effects.send(leader, {
      kind: 'accepted',`,
  },
  {
    name: 'own-vote-before-durable',
    what: 'a leader counts its own vote while its disk is still at it',
    file: `${paxos}/proposer.ts`,
    find: `    effects.afterPersist(self, {
      kind: 'accepted', ballot: this.ballot, upTo: this.#lastSlot, chosenUpTo: learner.chosenSlot,
    });`,
    put: `    effects.send(self, {
      kind: 'accepted', ballot: this.ballot, upTo: this.#lastSlot, chosenUpTo: learner.chosenSlot,
    });`,
  },
  {
    name: 'hole-filled-with-a-command',
    what: 'a new leader fills a hole with a command instead of a no-op',
    file: `${paxos}/candidacy.ts`,
    find: `best.get(slot)?.value ?? { kind: 'no-op', origin: this.ballot };`,
    put: `best.get(slot)?.value ?? best.get(last)?.value ?? { kind: 'no-op', origin: this.ballot };`,
  },
  {
    name: 'lower-ballot-accepted',
    what: 'an acceptor takes values under a ballot below its promise',
    file: `${paxos}/group.ts`,
    find: `    if (acceptor.refuses(ballot)) {
      this.#voter.refuse(from, ballot);
      return false;
    }`,
    put: '',
  },
  {
    name: 'state-not-atomic-with-slot',
    what: 'the applied slot is on disk before the state that it names',
    file: `${sim}/list-store.ts`,
    find: '    this.#waiting = { slot, commands: [] };\n    this.#later(() => {\n      this.#isWriting = false;',
    put: `    this.#waiting = { slot, commands: [] };
    this.#stored = { ...this.#stored, slot };
    this.#later(() => {
      for (const command of commands) this.#stored.state.apply(command);
      commands.length = 0;
      this.#isWriting = false;`,
  },
  {
    name: 'ledger-lost-in-snapshot',
    what: 'a state that travels leaves behind which updates are settled',
    file: `${sim}/lists-state.ts`,
    find: 'this.#ledger = new Map(isCopy ? from.#ledger : []);',
    put: 'this.#ledger = new Map();',
  },
  {
    name: 'read-without-a-quorum',
    what: 'whoever believes to lead answers reads',
    file: `${paxos}/leadership.ts`,
    find: 'if (this.#isServing && this.#rounds.holdsLease(now)) {',
    put: 'if (this.#isServing) {',
  },
  {
    name: 'lease-from-the-answer',
    what: 'a lease counts from when the answers came',
    file: `${paxos}/rounds.ts`,
    find: 'now < this.#answeredAt + leaseMs * (1 - driftPpm / 1_000_000);',
    put: 'now < (this.#sentAt[this.#round % REMEMBERED] ?? 0) + leaseMs;',
  },
  {
    name: 'lease-granted-too-short',
    what: 'a follower forgets a lease before its leader does',
    file: `${paxos}/patience.ts`,
    find: '    this.#leaseUntil = now + this.#limits.leaseMs;',
    put: '    this.#leaseUntil = now + this.#limits.leaseMs / 10;',
  },
  {
    name: 'trimmed-slots-taken-for-empty',
    what: 'a candidate plans over slots that a promiser has forgotten because they are chosen',
    file: `${paxos}/candidacy.ts`,
    find: `    if (ahead !== undefined) return { kind: 'behind', ...ahead };\n`,
    put: '',
  },
  {
    name: 'overlapping-membership-change',
    what: 'a leader goes on proposing under the old configuration beyond a stop-sign',
    file: `${paxos}/leadership.ts`,
    find: `    this.#stage = { kind: 'stopping' };\n    this.#proposer.propose(`,
    put: '    this.#proposer.propose(',
  },
  {
    name: 'old-quorum-for-new-configuration',
    what: 'after a stop-sign the leader proposes at once, without promises of the new voters',
    file: `${paxos}/candidacy.ts`,
    find: `    if (promised < quorumSize(configuration)) return { kind: 'waiting' };\n`,
    put: '',
  },
  {
    name: 'snapshot-installed-backwards',
    what: 'a state that comes late, and is older than the present one, is taken in',
    file: `${sim}/paxos-node.ts`,
    find: `    if (this.#fetch?.from !== from) return;
    const machine = this.#machine;
    if (snapshot === undefined || machine === undefined || snapshot.slot <= machine.chosenSlot) {`,
    put: `    const machine = this.#machine;
    if (snapshot === undefined || machine === undefined) {`,
  },
  {
    name: 'commit-index-beyond-the-log',
    what: 'a follower takes what it holds for chosen, though another leader spoke of another value',
    file: `${paxos}/learner.ts`,
    find: 'if (entry === undefined || !isSameBallot(entry.ballot, ballot)) return false;',
    put: 'if (entry === undefined) return false;',
  },
  {
    name: 'void-command-applied',
    what: 'a command takes effect although one before it of the same leader was lost',
    file: `${paxos}/effect.ts`,
    find: `        if (this.#isContinued(value.origin)) return true;
        this.#epoch = undefined;
        return false;`,
    put: '        return true;',
  },
  {
    name: 'rejoin-under-the-old-identity',
    what: 'a node whose disk was lost goes on as who it was',
    file: `${sim}/paxos-node.ts`,
    find: '    this.#incarnation++;\n    this.#founding = undefined;\n',
    put: '',
  },
  {
    name: 'trimmed-before-it-is-noted',
    what: 'slots go from the log before the note that they may go is on disk',
    file: `${sim}/paxos-node.ts`,
    find: 'trimmed: (base) => this.disk.flushed(this.process.bound(() => this.disk.trim(base.slot))),',
    put: 'trimmed: (base) => this.disk.trim(base.slot),',
  },
];

export const PAXOS_BUGS: readonly PlantedBug[] = bugs.map((bug) => ({ ...bug, world: 'paxos' }));

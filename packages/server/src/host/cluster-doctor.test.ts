import { describe, expect, test } from 'vitest';
import { statusText } from '../cli/cluster.js';
import { diagnose } from './cluster-doctor.js';
import type { ClusterStatus, NodeStatus } from './cluster-status.js';
import { RecentSamples } from './recent-samples.js';

const SPREAD = { count: 1, p50: 1, p99: 2, max: 2 };
const DISK = { p50: 0.5, p99: 2 };

const node = (name: string, more: Partial<NodeStatus> = {}): NodeStatus => ({
  name, id: `${name}.abcdefgh`, role: 'voter', isSelf: false, isUp: true, standing: 'member',
  peerAddress: `${name}:1`, clientUrl: `ws://${name}/sync`, version: '1.0.0', chosenSlot: 12,
  appliedSlot: 10, lagSlots: 2, fsyncMs: 0.75, loopLagMs: 1, clockOffsetMs: 1, roundTripMs: 0.5,
  problem: undefined, ...more,
});

const status = (nodes: readonly NodeStatus[], more: Partial<ClusterStatus> = {}): ClusterStatus => {
  const voters = nodes.filter(({ role }) => role === 'voter' || role === 'leader');
  const [votersUp, quorum] = [voters.filter(({ isUp }) => isUp).length, Math.floor(voters.length / 2) + 1];
  return {
    node: 'a', version: '1.0.0', cluster: 'k', standing: 'member', state: 'ready', advice: undefined,
    configuration: 3, leader: 'a', leaderUrl: 'ws://a/sync', isLeading: true,
    voters: voters.length, quorum, votersUp, survives: votersUp - quorum, nodes,
    fsync: SPREAD, commit: SPREAD, proposalsInFlight: 0, commits: 0, wallMs: 0, ...more,
  };
};

const three = [node('a', { role: 'leader', isSelf: true }), node('b'), node('c')];
const codes = (seen: ClusterStatus, disk = DISK): string[] =>
  diagnose(seen, disk).map(({ level, code }) => `${level} ${code}`);

describe('the doctor', () => {
  test('finds nothing wrong with a sound group', () => {
    expect(codes(status(three))).toEqual(['ok tolerance', 'ok disk']);
  });

  const down = { isUp: false, problem: { code: 'peer-misnamed', message: 'c answered.' } };
  const findings: [what: string, seen: ClusterStatus, code: string][] = [
    ['a group that no failure may hit', status([three[0] ?? node('a'), node('b'), node('c', down)]), 'error no-tolerance'],
    ['a misnamed node', status([three[0] ?? node('a'), node('b'), node('c', down)]), 'error peer-misnamed'],
    ['a lost quorum', status([three[0] ?? node('a'), node('b', down), node('c', down)]), 'error no-quorum'],
    ['no leader', status(three, { leader: undefined }), 'error no-leader'],
    ['an even number of voters', status([...three, node('d')]), 'warning voters-even'],
    ['a single node', status([three[0] ?? node('a')]), 'warning no-tolerance'],
    ['a stranger', status([...three, node('d', { role: 'outside', standing: 'fresh' })]), 'warning node-outside'],
    ['a node in the list that never came', status([...three, node('d', { role: 'missing', isUp: false })]), 'warning node-unreachable'],
    ['clocks apart', status([...three.slice(0, 2), node('c', { clockOffsetMs: -900 })]), 'warning clock-offset'],
    ['an overloaded node', status([...three.slice(0, 2), node('c', { loopLagMs: 400 })]), 'warning loop-late'],
    ['a node far behind', status([...three.slice(0, 2), node('c', { lagSlots: 50_000 })]), 'warning node-behind'],
    ['different versions', status([...three.slice(0, 2), node('c', { version: '1.1.0' })]), 'warning versions-differ'],
    ['what the node itself waits for', status(three, { advice: { code: 'cluster-lists-differ', message: 'x' } }), 'error cluster-lists-differ'],
  ];
  for (const [what, seen, code] of findings) {
    test(`finds ${what}`, () => expect(codes(seen)).toContain(code));
  }

  test('finds a slow disk', () => {
    expect(codes(status(three), { p50: 5, p99: 80 })).toContain('warning disk-slow');
  });
});

test('the status is a table that lines up', () => {
  const text = statusText(status([...three.slice(0, 2), node('c', {
    isUp: false, chosenSlot: undefined, appliedSlot: undefined, lagSlots: undefined, fsyncMs: undefined,
    roundTripMs: undefined, clockOffsetMs: undefined, problem: { code: 'link-silent', message: 'Silent.' },
  })]));
  expect(text).toBe([
    "Cluster k, configuration 3, as 'a' sees it (ready).",
    "2 of 3 voters are there, 'a' leads; the group survives 0 more failing.",
    '',
    'node  id          role    link  chosen  applied  behind  sync ms  round trip ms  clock ms',
    'a     a.abcdefgh  leader  self      12       10       2     0.75              -         -',
    'b     b.abcdefgh  voter   up        12       10       2     0.75           0.50         1',
    'c     c.abcdefgh  voter   DOWN       -        -       -        -              -         -',
    '',
    'c: link-silent: Silent.',
  ].join('\n'));
});

test('recent samples forget the old ones', () => {
  const samples = new RecentSamples();
  expect(samples.spread()).toEqual({ count: 0, p50: 0, p99: 0, max: 0 });
  for (let i = 0; i < 1_000; i++) samples.add(i);
  expect(samples.spread()).toMatchObject({ count: 512, max: 999 });
  expect(samples.spread().p50).toBeGreaterThan(488);
  expect(samples.newest).toBe(999);
});

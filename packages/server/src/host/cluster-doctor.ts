/**
 * What an experienced operator would look at first, as findings with a cure each. Judges a status;
 * measures nothing.
 */
import { paxosLimits } from '../paxos/limits.js';
import type { ClusterStatus, NodeStatus } from './cluster-status.js';

export interface Finding {
  readonly level: 'ok' | 'warning' | 'error';
  readonly code: string;
  readonly message: string;
}

export interface DiskTest {
  /** Syncs of one 4 KiB write each on the data directory's disk, ms. */
  readonly p50: number;
  readonly p99: number;
}

/**
 * A lease must not outlast what clocks can drift; offsets beyond this also confuse people who read
 * logs.
 */
const CLOCK_OFFSET_MS = 500;
/** Slower, and every commit waits for it: a network disk, or one that is shared. */
const SLOW_SYNC_MS = 20;
const LOOP_LAG_MS = paxosLimits.leaseMs;

export function diagnose(status: ClusterStatus, disk: DiskTest): readonly Finding[] {
  return [
    ...adviceOf(status),
    ...toleranceOf(status),
    ...status.nodes.flatMap(linkOf),
    ...status.nodes.flatMap(clockOf),
    ...status.nodes.flatMap(loopOf),
    ...status.nodes.flatMap((node) => lagOf(node)),
    ...versionsOf(status),
    diskOf(disk),
  ];
}

function adviceOf({ advice }: ClusterStatus): Finding[] {
  return advice === undefined ? [] : [{ level: 'error', ...advice }];
}

function toleranceOf({ voters, votersUp, survives, leader }: ClusterStatus): Finding[] {
  const findings: Finding[] = [];
  if (voters > 0) findings.push(tolerance(voters, votersUp, survives));
  if (voters > 1 && voters % 2 === 0) {
    const message = `${voters} voters survive no more failures than ${voters - 1}. Add one, or remove one.`;
    findings.push({ level: 'warning', code: 'voters-even', message });
  }
  if (voters > 0 && leader === undefined) {
    const message = 'This node knows no leader: none is elected at this moment, or it is cut off.';
    findings.push({ level: 'error', code: 'no-leader', message });
  }
  return findings;
}

function tolerance(voters: number, votersUp: number, survives: number): Finding {
  const there = `${votersUp} of ${voters} voters are there`;
  if (survives < 0) {
    return { level: 'error', code: 'no-quorum', message: `${there}: nothing can be committed. Start the others.` };
  }
  if (voters === 1) {
    const message = 'The group is one node: if it fails, the service stops until it is back.';
    return { level: 'warning', code: 'no-tolerance', message };
  }
  if (survives === 0) {
    const message = `${there}: the next failure stops the service. Bring the others back.`;
    return { level: 'error', code: 'no-tolerance', message };
  }
  return { level: 'ok', code: 'tolerance', message: `${there}: the group survives ${survives} more failing.` };
}

function linkOf({ name, isUp, role, problem, peerAddress }: NodeStatus): Finding[] {
  if (isUp) {
    const isStray = role === 'outside';
    const message = `'${name}' is linked and belongs to no configuration: add it, or stop it.`;
    return isStray ? [{ level: 'warning', code: 'node-outside', message }] : [];
  }
  const where = peerAddress === undefined ? '' : ` at ${peerAddress}`;
  const why = problem === undefined ? 'Start it, and check its address.' : problem.message;
  const level = role === 'missing' ? 'warning' : 'error';
  return [{ level, code: problem?.code ?? 'node-unreachable', message: `No link with '${name}'${where}. ${why}` }];
}

function clockOf({ name, clockOffsetMs = 0 }: NodeStatus): Finding[] {
  if (Math.abs(clockOffsetMs) < CLOCK_OFFSET_MS) return [];
  const by = `${Math.round(Math.abs(clockOffsetMs))} ms ${clockOffsetMs > 0 ? 'ahead of' : 'behind'}`;
  const message = `The clock of '${name}' is ${by} this node's. Run a time service (chrony) on both.`;
  return [{ level: 'warning', code: 'clock-offset', message }];
}

function loopOf({ name, loopLagMs = 0 }: NodeStatus): Finding[] {
  if (loopLagMs < LOOP_LAG_MS) return [];
  const message = `'${name}' was ${Math.round(loopLagMs)} ms late with what was due: its processor is overloaded. ` +
    'Elections may follow. Give it more room.';
  return [{ level: 'warning', code: 'loop-late', message }];
}

function lagOf({ name, lagSlots = 0, role }: NodeStatus): Finding[] {
  if (lagSlots <= paxosLimits.windowSlotsMax || role === 'outside') return [];
  const message = `'${name}' is ${lagSlots} slots behind: it is being filled, or its disk is too slow.`;
  return [{ level: 'warning', code: 'node-behind', message }];
}

function versionsOf({ nodes }: ClusterStatus): Finding[] {
  const told = nodes.filter(({ version }) => version !== undefined);
  if (new Set(told.map(({ version }) => version)).size <= 1) return [];
  const list = told.map(({ name, version = '' }) => `${name} ${version}`);
  const message = `Versions differ: ${list.join(', ')}. That is fine while you update, one node after the other.`;
  return [{ level: 'warning', code: 'versions-differ', message }];
}

function diskOf({ p50, p99 }: DiskTest): Finding {
  const figures = `a sync takes ${p50.toFixed(2)} ms (median), ${p99.toFixed(2)} ms (99th percentile)`;
  if (p99 < SLOW_SYNC_MS) return { level: 'ok', code: 'disk', message: `The data directory's disk: ${figures}.` };
  const message = `The data directory's disk is slow: ${figures}. Every commit waits for it: use a local SSD.`;
  return { level: 'warning', code: 'disk-slow', message };
}

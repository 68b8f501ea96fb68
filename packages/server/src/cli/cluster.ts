/**
 * `oxbow cluster …`: looks at a group and gives it orders, through the door that each node has
 * under `/cluster`.
 */
import { Command } from 'commander';
import { OxbowError } from '@oxbow/sdk/protocol';
import type { Finding } from '../host/cluster-doctor.js';
import type { ClusterStatus, NodeStatus } from '../host/cluster-status.js';
import { adminToken, type ProofFlags } from './admin-token.js';
import { nodeUrl } from './node-url.js';
import { table } from './table.js';

interface AdminFlags extends ProofFlags {
  readonly server: string;
  readonly json?: boolean;
}

interface Answer {
  readonly code: string;
  readonly message: string;
}

/** Doctor's findings with the status that they judge. */
interface Diagnosis {
  readonly status: ClusterStatus;
  readonly findings: readonly Finding[];
}

const REDIRECTS_MAX = 3;
/** Adding waits for a quorum, not for the new node to be filled. */
const ANSWER_MS = 30_000;

export function clusterCommand(): Command {
  const command = new Command('cluster').description('Looks at a group of nodes and changes it.');
  command.addCommand(admin('status', 'Prints who is there, who leads, and how far each one is.')
    .option('--json', 'prints what the node answered')
    .action((flags: AdminFlags) => status(flags)));
  command.addCommand(admin('doctor', 'Looks for what is wrong or will be. Ends with 1 if something is.')
    .option('--json', 'prints what the node answered')
    .action((flags: AdminFlags) => doctor(flags)));
  command.addCommand(admin('add', 'Makes a running node a learner, and a voter when it has caught up.')
    .argument('<node>', 'its name')
    .action((node: string, flags: AdminFlags) => order('add', node, flags)));
  command.addCommand(admin('remove', 'Takes a node out of the group, if the others can go on without it.')
    .argument('<node>', 'its name')
    .action((node: string, flags: AdminFlags) => order('remove', node, flags)));
  command.addCommand(admin('transfer-leader', 'Lets another node lead.')
    .argument('<node>', 'its name')
    .action((node: string, flags: AdminFlags) => order('transfer-leader', node, flags)));
  command.addCommand(new Command('token')
    .description('Prints the admin token that belongs to a cluster\'s secret, for the page at /cluster.')
    .requiredOption('--cluster-secret-file <file>', 'the same file as of serve')
    .action((flags: AdminFlags) => console.log(adminToken(flags))));
  return command;
}

function admin(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--server <url>', 'any node, where clients reach it', 'http://127.0.0.1:8787')
    .option('--cluster-secret-file <file>', 'the cluster\'s secret')
    .option('--admin-token-file <file>', 'the token of --admin-token-file of serve');
}

async function status(flags: AdminFlags): Promise<void> {
  const seen = await ask<ClusterStatus>('/cluster/status', flags);
  console.log(flags.json === true ? JSON.stringify(seen, undefined, 2) : statusText(seen));
}

async function doctor(flags: AdminFlags): Promise<void> {
  const { status: seen, findings } = await ask<Diagnosis>('/cluster/doctor', flags);
  if (flags.json === true) console.log(JSON.stringify({ status: seen, findings }, undefined, 2));
  else for (const finding of findings) console.log(findingText(finding));
  if (findings.some(({ level }) => level === 'error')) process.exitCode = 1;
}

const findingText = ({ level, code, message }: Finding): string =>
  `${level === 'error' ? 'ERROR' : level}`.padEnd(8) + `${message}  (${code})`;

/** To whoever leads. */
async function order(word: string, node: string, flags: AdminFlags): Promise<void> {
  let server = flags.server;
  for (let tries = 0; ; tries++) {
    const path = `/cluster/${word}?name=${encodeURIComponent(node)}`;
    const answer = await send<Answer>(`${base(server)}${path}`, 'POST', flags);
    if (answer.code === 'done') {
      console.log(answer.message);
      return;
    }
    const { leaderUrl } = answer.code === 'not-leader'
      ? await ask<ClusterStatus>('/cluster/status', { ...flags, server })
      : { leaderUrl: undefined };
    const isOver = leaderUrl === undefined || tries >= REDIRECTS_MAX;
    if (isOver) throw new OxbowError(answer.code, answer.message);
    server = leaderUrl;
  }
}

function ask<T>(path: string, flags: AdminFlags): Promise<T> {
  return send<T>(`${base(flags.server)}${path}`, 'GET', flags);
}

async function send<T>(url: string, method: string, flags: AdminFlags): Promise<T> {
  const answer = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${adminToken(flags)}` },
    signal: AbortSignal.timeout(ANSWER_MS),
  }).catch((cause: unknown) => {
    throw unreachableNode(url, cause);
  });
  const value: unknown = await answer.json().catch(() => undefined);
  if (answer.ok || (answer.status === 409 && value !== undefined)) {
    // reason: nodes of one version answer what they are asked.
    return value as T;
  }
  const { code, message } = isAnswer(value) ? value : { code: 'not-found', message: `${url} is no node of Oxbow.` };
  throw new OxbowError(code, message);
}

const base = (server: string): string => nodeUrl(server).replace(/\/(sync\/?)?$/, '');

function isAnswer(value: unknown): value is Answer {
  return typeof value === 'object' && value !== null &&
    'code' in value && typeof value.code === 'string' &&
    'message' in value && typeof value.message === 'string';
}

function unreachableNode(url: string, cause: unknown): OxbowError {
  const message = `Cannot reach ${new URL(url).origin}: is the node running, and is this where clients reach it?`;
  return new OxbowError('node-unreachable', message, { cause });
}

export function statusText(seen: ClusterStatus): string {
  const { cluster, node, state, leader, voters, votersUp, survives, advice, configuration } = seen;
  const head = cluster === undefined
    ? `'${node}' belongs to no cluster yet (${state}).`
    : `Cluster ${cluster}, configuration ${configuration ?? '?'}, as '${node}' sees it (${state}).`;
  const group = survives < 0
    ? `${votersUp} of ${voters} voters are there: nothing can be committed.`
    : `${votersUp} of ${voters} voters are there, ${leader === undefined ? 'nobody leads' : `'${leader}' leads`}; ` +
      `the group survives ${survives} more failing.`;
  const rows = seen.nodes.map((one) => rowOf(one));
  const text = [head, group, '', table(HEADS, rows)];
  if (advice !== undefined) text.push('', `${advice.code}: ${advice.message}`);
  for (const { name, problem, isUp } of seen.nodes) {
    if (!isUp && problem !== undefined) text.push('', `${name}: ${problem.code}: ${problem.message}`);
  }
  return text.join('\n');
}

const HEADS = [
  'node', 'id', 'role', 'link', 'chosen', 'applied', 'behind', 'sync ms', 'round trip ms', 'clock ms',
];

function rowOf(node: NodeStatus): readonly string[] {
  const { name, id = '-', role, isSelf, isUp, clockOffsetMs, roundTripMs } = node;
  const number = (value: number | undefined, digits = 0): string => value?.toFixed(digits) ?? '-';
  return [
    name, id, role, isSelf ? 'self' : isUp ? 'up' : 'DOWN',
    number(node.chosenSlot), number(node.appliedSlot), number(node.lagSlots),
    number(node.fsyncMs, 2),
    isSelf ? '-' : number(roundTripMs, 2), isSelf ? '-' : number(clockOffsetMs),
  ];
}

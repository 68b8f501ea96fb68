/**
 * The group as one node sees it, for operators: what the status page draws, `oxbow cluster status`
 * prints and `doctor` judges.
 */
import type { Announcement } from '../cluster/cluster-message.js';
import type { Advice } from '../cluster/effects.js';
import type { ClusterMachine } from '../cluster/machine.js';
import type { NodeList } from '../cluster/node-list.js';
import type { PeerLinkState } from '../cluster/peer-link.js';
import type { MemberId } from '../paxos/ballot.js';
import { quorumSize, type Configuration, type Member } from '../paxos/configuration.js';
import type { HeardPosition } from './cluster-host.js';
import type { Spread } from './recent-samples.js';

export type NodeRole =
  | 'leader'
  | 'voter'
  | 'learner'
  /** Linked and in no configuration: it waits, was removed, or belongs elsewhere. */
  | 'outside'
  /** In the list of nodes and never seen. */
  | 'missing';

export interface NodeStatus {
  readonly name: string;
  readonly id: string | undefined;
  readonly role: NodeRole;
  readonly isSelf: boolean;
  /** Itself, or linked. */
  readonly isUp: boolean;
  readonly standing: string | undefined;
  readonly peerAddress: string | undefined;
  readonly clientUrl: string | undefined;
  readonly version: string | undefined;
  readonly chosenSlot: number | undefined;
  readonly appliedSlot: number | undefined;
  /** Slots that it has not applied of those that are known as chosen. */
  readonly lagSlots: number | undefined;
  readonly fsyncMs: number | undefined;
  readonly loopLagMs: number | undefined;
  readonly clockOffsetMs: number | undefined;
  readonly roundTripMs: number | undefined;
  readonly problem: { readonly code: string; readonly message: string } | undefined;
}

export interface ClusterStatus {
  readonly node: string;
  readonly version: string;
  readonly cluster: string | undefined;
  readonly standing: string;
  /** `starting`, `ready`, `draining`, `failed`. */
  readonly state: string;
  readonly advice: Advice | undefined;
  readonly configuration: number | undefined;
  /** Name of the leader as this node knows it. */
  readonly leader: string | undefined;
  readonly leaderUrl: string | undefined;
  readonly isLeading: boolean;
  readonly voters: number;
  readonly quorum: number;
  readonly votersUp: number;
  /** How many more voters may fail before the group stops; negative: it stands still. */
  readonly survives: number;
  readonly nodes: readonly NodeStatus[];
  /** Of this node, lately, ms. */
  readonly fsync: Spread;
  readonly commit: Spread;
  /** Batches that were proposed and are not chosen. */
  readonly proposalsInFlight: number;
  /** Updates committed since the start. */
  readonly commits: number;
  readonly wallMs: number;
}

export interface StatusView {
  readonly node: string;
  readonly version: string;
  readonly state: string;
  readonly list: NodeList;
  readonly machine: ClusterMachine | undefined;
  readonly leader: Member | undefined;
  readonly isLeading: boolean;
  readonly links: readonly PeerLinkState[];
  readonly positions: ReadonlyMap<string, HeardPosition>;
  /** Of this node. */
  readonly own: {
    readonly chosenSlot: number;
    readonly appliedSlot: number;
    readonly fsyncMs: number;
    readonly loopLagMs: number;
  };
  readonly fsync: Spread;
  readonly commit: Spread;
  readonly proposalsInFlight: number;
  readonly commits: number;
  readonly wallMs: number;
}

export function clusterStatus(view: StatusView): ClusterStatus {
  const { machine, node, version, state, leader, isLeading, fsync, commit } = view;
  const configuration = machine?.configuration;
  const nodes = namesOf(view).map((name) => nodeStatus(name, view));
  const isVoting = ({ role, standing }: NodeStatus): boolean =>
    (role === 'leader' || role === 'voter') && standing === 'member';
  const votersUp = nodes.filter((one) => isVoting(one) && one.isUp).length;
  const quorum = configuration === undefined ? 0 : quorumSize(configuration);
  return {
    node, version, state, isLeading, fsync, commit,
    cluster: machine?.belonging?.cluster,
    standing: machine?.standing ?? 'starting',
    advice: machine?.advice(),
    configuration: configuration?.number,
    leader: leader?.name,
    leaderUrl: leader?.clientUrl,
    voters: configuration?.voters.length ?? 0,
    quorum, votersUp,
    survives: votersUp - quorum,
    nodes,
    proposalsInFlight: view.proposalsInFlight,
    commits: view.commits,
    wallMs: view.wallMs,
  };
}

/** Everyone that is configured, listed, linked or dialled. */
function namesOf({ node, list, machine, links }: StatusView): string[] {
  const { voters = [], learners = [] } = machine?.configuration ?? {};
  const names = new Set([node, ...list.keys(), ...(machine?.heard.keys() ?? [])]);
  for (const { name } of [...voters, ...learners, ...links]) names.add(name);
  return [...names].sort((a, b) => (a < b ? -1 : 1));
}

function nodeStatus(name: string, view: StatusView): NodeStatus {
  const { machine, node, positions, own, list } = view;
  const isSelf = name === node;
  const said = machine?.heard.get(name);
  const link = view.links.find((one) => one.name === name && one.channel === 'control');
  const position = isSelf ? { ...own, clockOffsetMs: 0 } : positions.get(name);
  const configured = configuredAs(name, machine?.configuration);
  const others = [...positions.values()].map(({ chosenSlot }) => chosenSlot);
  const chosen = Math.max(own.chosenSlot, ...others);
  const member = configured?.member;
  return {
    name, isSelf,
    isUp: isSelf || link?.isUp === true,
    id: isSelf ? machine?.id : (said?.id ?? member?.id),
    role: roleOf(name, view, configured, said),
    standing: isSelf ? machine?.standing : said?.standing,
    peerAddress: said?.peerAddress ?? member?.peerAddress ?? list.get(name)?.peerAddress,
    clientUrl: said?.clientUrl ?? member?.clientUrl,
    version: isSelf ? view.version : said?.version,
    chosenSlot: position?.chosenSlot,
    appliedSlot: position?.appliedSlot,
    lagSlots: position === undefined ? undefined : Math.max(0, chosen - position.appliedSlot),
    fsyncMs: position?.fsyncMs,
    loopLagMs: position?.loopLagMs,
    clockOffsetMs: position?.clockOffsetMs,
    roundTripMs: link?.roundTripMs,
    problem: link?.problem,
  };
}

interface Configured {
  readonly member: Member;
  readonly isVoter: boolean;
}

function configuredAs(
  name: string, configuration: Configuration | undefined,
): Configured | undefined {
  const voter = configuration?.voters.find((member) => member.name === name);
  if (voter !== undefined) return { member: voter, isVoter: true };
  const learner = configuration?.learners.find((member) => member.name === name);
  return learner === undefined ? undefined : { member: learner, isVoter: false };
}

function roleOf(
  name: string, { node, machine, leader }: StatusView,
  configured: Configured | undefined, said: Announcement | undefined,
): NodeRole {
  if (configured === undefined) return said === undefined && name !== node ? 'missing' : 'outside';
  const present: MemberId | undefined = name === node ? machine?.id : said?.id;
  // Under its name stands another disk by now: it is being filled.
  if (present !== undefined && present !== configured.member.id) return 'learner';
  if (configured.member.id === leader?.id) return 'leader';
  return configured.isVoter ? 'voter' : 'learner';
}

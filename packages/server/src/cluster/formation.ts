/**
 * How a node comes to belong to a cluster. Nothing here is voted on, so nothing here may guess: a
 * cluster is founded only when every listed node is there and none has ever belonged to one. The
 * node with the smallest name makes the cluster's id and first configuration, writes them down, and
 * then tells; whoever is in that configuration and has no cluster yet takes them, from whichever
 * member tells it first. So a founder that dies half-way has either told nobody, or others who
 * finish for it.
 *
 * A node that was given a state (a restored backup) founds its cluster alone: nobody else has that
 * state, and others are added to it. A wiped node cannot found a second cluster beside the first:
 * the others are members and say so.
 */
import type { MemberId } from '../paxos/ballot.js';
import { findMember, type Configuration, type Member } from '../paxos/configuration.js';
import type { Announcement, ClusterMessage, Standing } from './cluster-message.js';
import type { Advice, Belonging, ClusterEffects, Disk } from './effects.js';
import { nameOfMember } from './node-name.js';
import type { NodeList } from './node-list.js';

export interface FormationConfig {
  readonly node: string;
  readonly peerAddress: string;
  readonly clientUrl: string;
  readonly list: NodeList;
  readonly version: string;
  /** Random: the cluster's id should this node found it. */
  readonly newCluster: string;
  readonly disk: Disk;
}

export class Formation {
  readonly #config: FormationConfig;
  readonly #out: ClusterEffects;
  /** Who is linked, and what it said of itself. */
  readonly #heard = new Map<string, Announcement | undefined>();
  #standing: Standing;
  #belonging: Belonging | undefined;
  /** The newest known; members that it names are let in. */
  #configuration: Configuration | undefined;
  /** Told that they belong; not again before they say something new. */
  readonly #invited = new Set<string>();
  /** Told in the log once each. */
  readonly #complained = new Set<string>();

  constructor(config: FormationConfig, out: ClusterEffects) {
    const { disk } = config;
    this.#config = config;
    this.#out = out;
    this.#standing = disk.kind;
    if (disk.kind === 'member') this.#belonging = disk.belonging;
  }

  get standing(): Standing {
    return this.#standing;
  }

  get id(): MemberId {
    const { disk } = this.#config;
    return disk.kind === 'member' ? disk.belonging.self.id : disk.id;
  }

  get belonging(): Belonging | undefined {
    return this.#belonging;
  }

  /** By name; undefined: linked, and silent so far. */
  get heard(): ReadonlyMap<string, Announcement | undefined> {
    return this.#heard;
  }

  start(): void {
    this.#want();
    if (this.#belonging !== undefined) this.#out.join(this.#belonging);
    this.#maybeFound();
  }

  linked(name: string): void {
    this.#heard.set(name, undefined);
    this.#out.send(name, this.#announcement());
  }

  cut(name: string): void {
    const id = this.#memberBehind(name);
    this.#heard.delete(name);
    this.#invited.delete(name);
    if (id !== undefined) this.#out.memberLinked(id, name, false);
  }

  message(name: string, message: ClusterMessage): void {
    if (!this.#heard.has(name)) return;
    if (message.kind === 'announce') this.#onAnnouncement(name, message);
    else if (message.kind === 'form') this.#onForm(name, message);
  }

  /** What `persist` asked for is on disk. */
  persisted(): void {
    if (this.#standing !== 'joining' || this.#belonging === undefined) return;
    this.#standing = 'member';
    this.#out.log('info', 'cluster-joined', { cluster: this.#belonging.cluster, member: this.id });
    this.#announceToAll();
    this.#out.join(this.#belonging);
    for (const name of this.#heard.keys()) {
      this.#maybeLetIn(name);
      const id = this.#memberBehind(name);
      if (id !== undefined) this.#out.memberLinked(id, name, true);
    }
  }

  configured(configuration: Configuration): void {
    this.#configuration = configuration;
    this.#want();
    for (const name of this.#heard.keys()) this.#maybeLetIn(name);
  }

  /** Why this node does not belong to a cluster yet, or cannot speak with another. */
  advice(): Advice | undefined {
    const strangers = this.#othersOf((cluster) => cluster !== this.#belonging?.cluster);
    if (this.#standing === 'member') return strangers.length > 0 ? otherCluster(strangers) : undefined;
    if (this.#standing === 'joining') return undefined;
    if (this.#standing === 'forgetful') return forgotten;
    const members = this.#othersOf(() => true);
    if (members.length > 0) return waitsToBeAdded(this.#config.node, members);
    return this.#listsDiffer() ?? this.#isMissing();
  }

  /** To the configured members too, wherever they are: the list may be an old one. */
  #want(): void {
    const { node, list } = this.#config;
    const peers = new Map<string, string>();
    const { voters = [], learners = [] } = this.#configuration ?? {};
    for (const { name, peerAddress } of [...voters, ...learners]) peers.set(name, peerAddress);
    for (const [name, { peerAddress }] of list) peers.set(name, peerAddress);
    peers.delete(node);
    this.#out.want(peers);
  }

  #onAnnouncement(name: string, announcement: Announcement): void {
    if (nameOfMember(announcement.id) !== name) {
      this.#complain('peer-misnamed', { peer: name, id: announcement.id });
      return;
    }
    const former = this.#memberBehind(name);
    this.#heard.set(name, announcement);
    this.#invited.delete(name);
    const present = this.#memberBehind(name);
    if (former !== present) {
      if (former !== undefined) this.#out.memberLinked(former, name, false);
      if (present !== undefined) this.#out.memberLinked(present, name, true);
    }
    this.#maybeFound();
    this.#maybeLetIn(name);
  }

  #onForm(name: string, { cluster, you, first }: ClusterMessage & { kind: 'form' }): void {
    const isFree = this.#standing === 'fresh' || this.#standing === 'forgetful';
    if (!isFree || you !== this.id) return;
    const { disk } = this.#config;
    if (disk.kind === 'forgetful' && disk.cluster !== cluster) {
      this.#complain('cluster-mismatch', { peer: name, found: cluster, expected: disk.cluster });
      return;
    }
    this.#adopt({ cluster, self: this.#self(), first });
  }

  #maybeFound(): void {
    const { list, node, disk } = this.#config;
    if (this.#standing !== 'fresh' || disk.kind !== 'fresh') return;
    if (disk.slot > 0) return this.#found([], disk.slot);
    if ([...list.keys()][0] !== node) return;
    const others = [...list.keys()].filter((name) => name !== node);
    const heard = others.flatMap((name) => this.#heard.get(name) ?? []);
    const isReady = heard.length === others.length && heard.every((one) => this.#canFoundWith(one));
    if (isReady) this.#found(heard.map(memberOf), 0);
  }

  #found(others: readonly Member[], slot: number): void {
    const cluster = this.#config.newCluster;
    const voters = [this.#self(), ...others];
    const first = { number: 0, fromSlot: slot + 1, voters, learners: [] };
    this.#out.log('info', 'cluster-founded', { cluster, voters: voters.map(({ id }) => id) });
    this.#adopt({ cluster, self: this.#self(), first });
  }

  #canFoundWith({ standing, list }: Announcement): boolean {
    return standing === 'fresh' && list.join() === [...this.#config.list.keys()].join();
  }

  /**
   * From now on it is not fresh any more, though its disk cannot say so yet: nobody may count on it
   * twice.
   */
  #adopt(belonging: Belonging): void {
    this.#standing = 'joining';
    this.#belonging = belonging;
    this.#announceToAll();
    this.#out.persist(belonging);
  }

  /** A node that has no cluster and is in a configuration of ours. */
  #maybeLetIn(name: string): void {
    const announcement = this.#heard.get(name);
    if (this.#standing !== 'member' || this.#belonging === undefined || announcement === undefined) return;
    const { id, standing } = announcement;
    const { cluster, first } = this.#belonging;
    const isOurs = [first, this.#configuration].some((known) => known && findMember(known, id));
    const isFree = standing === 'fresh' || standing === 'forgetful';
    if (!isFree || !isOurs || first === undefined || this.#invited.has(name)) return;
    this.#invited.add(name);
    this.#out.send(name, { kind: 'form', cluster, you: id, first });
  }

  #memberBehind(name: string): MemberId | undefined {
    const announcement = this.#heard.get(name);
    if (this.#standing !== 'member' || announcement?.standing !== 'member') return undefined;
    return announcement.cluster === this.#belonging?.cluster ? announcement.id : undefined;
  }

  #announceToAll(): void {
    for (const name of this.#heard.keys()) this.#out.send(name, this.#announcement());
  }

  #announcement(): Announcement {
    const { peerAddress, clientUrl, list, version, disk } = this.#config;
    const former = disk.kind === 'forgetful' ? disk.cluster : undefined;
    return {
      kind: 'announce', id: this.id, peerAddress, clientUrl, version,
      standing: this.#standing,
      cluster: this.#belonging?.cluster ?? former,
      list: [...list.keys()],
    };
  }

  #self(): Member {
    const { node, peerAddress, clientUrl } = this.#config;
    return { id: this.id, name: node, peerAddress, clientUrl };
  }

  #othersOf(isMeant: (cluster: string | undefined) => boolean): string[] {
    return [...this.#heard].flatMap(([name, said]) =>
      said?.standing === 'member' && isMeant(said.cluster) ? [name] : []);
  }

  #listsDiffer(): Advice | undefined {
    const own = [...this.#config.list.keys()];
    for (const [name, said] of this.#heard) {
      if (said === undefined || said.list.join() === own.join()) continue;
      const message = `This node's list names ${own.join(', ')}; that of '${name}' names ${said.list.join(', ')}. ` +
        'A cluster is founded only when all lists are equal: correct the misspelt one.';
      return { code: 'cluster-lists-differ', message };
    }
    return undefined;
  }

  #isMissing(): Advice | undefined {
    const { list, node } = this.#config;
    const others = [...list.keys()].filter((name) => name !== node);
    const missing = others.filter((name) => this.#heard.get(name) === undefined);
    if (missing.length === 0) return undefined;
    const message = `Waiting for ${missing.join(', ')}: a cluster is founded when all listed nodes are there. ` +
      'Start them, and check their addresses.';
    return { code: 'waiting-for-nodes', message };
  }

  #complain(event: string, fields: Readonly<Record<string, unknown>>): void {
    const text = JSON.stringify([event, fields]);
    if (this.#complained.has(text) || this.#complained.size > 100) return;
    this.#complained.add(text);
    this.#out.log('warn', event, fields);
  }
}

function memberOf({ id, peerAddress, clientUrl }: Announcement): Member {
  return { id, name: nameOfMember(id), peerAddress, clientUrl };
}

function otherCluster(names: readonly string[]): Advice {
  const message = `Of another cluster: ${names.join(', ')}. Nothing is exchanged with them: correct the ` +
    'addresses, or give them empty data directories.';
  return { code: 'cluster-mismatch', message };
}

const forgotten: Advice = {
  code: 'waiting-to-be-filled',
  message: 'This node has lost what it promised, and waits for the leader to fill it anew under a new ' +
    'identity. It needs a quorum of the others.',
};

function waitsToBeAdded(node: string, members: readonly string[]): Advice {
  const message = `This node is not part of the cluster of ${members.join(', ')}. ` +
    `Add it with \`oxbow cluster add ${node}\`; under a name that the cluster knows it is taken in by itself.`;
  return { code: 'waiting-to-be-added', message };
}

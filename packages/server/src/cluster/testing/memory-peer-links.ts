/**
 * Links between nodes of one process, without sockets: for tests of what stands on them. Who runs
 * the tasks is the caller's affair: a queue, or the virtual time of a simulation.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import {
  peerChannels, type PeerChannel, type PeerLinkEvents, type PeerLinks, type PeerLinkState,
} from '../peer-link.js';

const FRAME_BYTES_MAX = 16 * 1024 * 1024;
const BUFFERED_BYTES_MAX = 64 * 1024 * 1024;

/** One direction of one link; frames of a link that was cut are not delivered. */
interface Lane {
  bufferedBytes: number;
}

export class MemoryNetwork {
  readonly #later: (task: () => void) => void;
  readonly #ends = new Map<string, MemoryPeerLinks>();
  readonly #cut = new Set<string>();

  /** `later` runs a task in a later turn; tasks of one turn in their order. */
  constructor(later: (task: () => void) => void) {
    this.#later = later;
  }

  /** A run of the node; an earlier one of that name must have been stopped. */
  links(name: string): PeerLinks {
    return new MemoryPeerLinks(name, this);
  }

  /** Cuts the links of two nodes, and keeps them cut. */
  cut(a: string, b: string): void {
    this.#cut.add(pairOf(a, b));
    this.settle();
  }

  heal(a: string, b: string): void {
    this.#cut.delete(pairOf(a, b));
    this.settle();
  }

  later(task: () => void): void {
    this.#later(task);
  }

  join(end: MemoryPeerLinks): void {
    this.#ends.set(end.name, end);
  }

  leave(end: MemoryPeerLinks): void {
    if (this.#ends.get(end.name) === end) this.#ends.delete(end.name);
  }

  end(name: string): MemoryPeerLinks | undefined {
    return this.#ends.get(name);
  }

  /** Makes and cuts links until they are as wished and possible. */
  settle(): void {
    for (const a of this.#ends.values()) {
      for (const b of this.#ends.values()) {
        if (a.name < b.name) this.#settlePair(a, b);
      }
    }
  }

  #settlePair(a: MemoryPeerLinks, b: MemoryPeerLinks): void {
    const isCut = this.#cut.has(pairOf(a.name, b.name));
    const isLinked = a.lanes.has(laneOf(b.name, 'control'));
    const isToBe = !isCut && (isLinked || a.wants(b.name) || b.wants(a.name));
    if (isLinked === isToBe) return;
    for (const [one, other] of [[a, b], [b, a]] as const) {
      if (isToBe) one.link(other.name);
      else one.drop(other.name);
    }
  }
}

class MemoryPeerLinks implements PeerLinks {
  readonly name: string;
  readonly lanes = new Map<string, Lane>();
  readonly #network: MemoryNetwork;
  #events: PeerLinkEvents | undefined;
  #wanted: ReadonlyMap<string, string> = new Map();

  constructor(name: string, network: MemoryNetwork) {
    this.name = name;
    this.#network = network;
  }

  start(events: PeerLinkEvents): void {
    this.#events = events;
    this.#network.join(this);
    this.#network.later(() => this.#network.settle());
  }

  want(peers: ReadonlyMap<string, string>): void {
    this.#wanted = new Map(peers);
    this.#network.later(() => this.#network.settle());
  }

  wants(name: string): boolean {
    return this.#events !== undefined && this.#wanted.has(name);
  }

  send(name: string, channel: PeerChannel, ...parts: readonly Uint8Array[]): boolean {
    const bytes = gather(parts);
    if (bytes.length > FRAME_BYTES_MAX) throw new OxbowError('message-too-large', 'Cannot send so much.');
    const lane = this.lanes.get(laneOf(name, channel));
    if (lane === undefined || lane.bufferedBytes + bytes.length > BUFFERED_BYTES_MAX) return false;
    lane.bufferedBytes += bytes.length;
    const other = this.#network.end(name)?.lanes.get(laneOf(this.name, channel));
    this.#network.later(() => {
      lane.bufferedBytes -= bytes.length;
      const end = this.#network.end(name);
      // The same link at both ends still: what was in flight at a cut is lost.
      if (other === undefined || end?.lanes.get(laneOf(this.name, channel)) !== other) return;
      end.#events?.frame(this.name, channel, bytes);
    });
    return true;
  }

  bufferedBytes(name: string, channel: PeerChannel): number {
    return this.lanes.get(laneOf(name, channel))?.bufferedBytes ?? 0;
  }

  states(): readonly PeerLinkState[] {
    const names = new Set([...this.#wanted.keys(), ...[...this.lanes.keys()].map((lane) => lane.split(' ')[0] ?? '')]);
    return [...names].flatMap((name) => peerChannels.map((channel) => ({
      name, channel,
      isUp: this.lanes.has(laneOf(name, channel)),
      isWanted: this.#wanted.has(name),
      address: this.#wanted.get(name),
      roundTripMs: undefined,
      problem: undefined,
    })));
  }

  stop(done: () => void): void {
    this.#events = undefined;
    this.#network.leave(this);
    for (const lane of this.lanes.keys()) {
      const [name = ''] = lane.split(' ');
      this.#network.end(name)?.drop(this.name);
    }
    this.lanes.clear();
    this.#network.later(done);
  }

  link(name: string): void {
    for (const channel of peerChannels) {
      this.lanes.set(laneOf(name, channel), { bufferedBytes: 0 });
      this.#network.later(() => this.#events?.linked(name, channel));
    }
  }

  drop(name: string): void {
    for (const channel of peerChannels) {
      if (!this.lanes.delete(laneOf(name, channel))) continue;
      this.#network.later(() => this.#events?.cut(name, channel));
    }
  }
}

function gather(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

const laneOf = (name: string, channel: PeerChannel): string => `${name} ${channel}`;
const pairOf = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`);

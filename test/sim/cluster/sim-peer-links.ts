/** Links between nodes over the simulated network, as the node's code knows them. */
import type {
  PeerChannel, PeerLinkEvents, PeerLinks, PeerLinkState,
} from '../../../packages/server/src/cluster/peer-link.js';
import type { NodeNetwork } from '../node-network.js';
import type { Process } from '../world.js';

const channelOf = (channel: string): PeerChannel => (channel === 'bulk' ? 'bulk' : 'control');

export class SimPeerLinks implements PeerLinks {
  readonly #process: Process;
  readonly #network: NodeNetwork<Uint8Array>;
  #isStopped = false;

  constructor(process: Process, network: NodeNetwork<Uint8Array>) {
    this.#process = process;
    this.#network = network;
  }

  start(events: PeerLinkEvents): void {
    const unlessStopped = (tell: () => void): void => {
      if (!this.#isStopped) tell();
    };
    this.#network.attach(this.#process, {
      linked: (peer, channel) => unlessStopped(() => events.linked(peer, channelOf(channel))),
      frame: (peer, channel, frame) =>
        unlessStopped(() => events.frame(peer, channelOf(channel), frame)),
      cut: (peer, channel) => unlessStopped(() => events.cut(peer, channelOf(channel))),
    });
  }

  want(peers: ReadonlyMap<string, string>): void {
    this.#network.want(this.#process.name, peers.keys());
  }

  send(name: string, channel: PeerChannel, ...parts: readonly Uint8Array[]): boolean {
    if (this.#isStopped) return false;
    return this.#network.send(this.#process.name, name, channel, Buffer.concat(parts));
  }

  bufferedBytes(): number {
    return 0;
  }

  states(): readonly PeerLinkState[] {
    return [];
  }

  stop(done: () => void): void {
    if (!this.#isStopped) this.#network.detach(this.#process.name, false);
    this.#isStopped = true;
    this.#process.clock.soon(done);
  }
}

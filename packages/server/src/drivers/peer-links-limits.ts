/** Every bound and period of the links between nodes, related by assertions. */
import { invariant } from '@oxbow/sdk/protocol';
import type { PeerChannel } from '../cluster/peer-link.js';
import { paxosLimits } from '../paxos/limits.js';

export interface PeerLinkLimits {
  /** Largest payload of a frame once the other side is proven. */
  readonly frameBytesMax: number;
  /** The same before: whoever it is gets no more of our memory. */
  readonly helloBytesMax: number;
  /** Given to `send` and not taken by the system; beyond it frames are dropped. */
  readonly bufferedBytesMax: Readonly<Record<PeerChannel, number>>;
  readonly pingMs: number;
  /** Ping periods without a byte from the other side before the link is cut. */
  readonly quietPeriodsMax: number;
  /** For all of the greeting. */
  readonly greetingMs: number;
  readonly dialMs: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** A link that lived so long was a good one: the next dial starts with the shortest wait. */
  readonly provenMs: number;
  /** How long the side with the greater name leaves the dialling to the other. */
  readonly patienceMs: number;
  /** Sockets that have not proven who they are. */
  readonly unprovenMax: number;
  /** Names linked at a time, wanted or not. */
  readonly peersMax: number;
}

const MI = 1024 * 1024;

export const peerLinkLimits: PeerLinkLimits = {
  frameBytesMax: 16 * MI,
  helloBytesMax: 1_024,
  bufferedBytesMax: { control: 64 * MI, bulk: 32 * MI },
  pingMs: 500,
  quietPeriodsMax: 6,
  greetingMs: 5_000,
  dialMs: 3_000,
  backoffMinMs: 50,
  backoffMaxMs: 1_000,
  provenMs: 2_000,
  patienceMs: 1_000,
  unprovenMax: 64,
  peersMax: 32,
};

/** Throws `invariant` when bounds contradict each other. */
export function checkPeerLinkLimits(limits: PeerLinkLimits): void {
  invariant(limits.frameBytesMax > paxosLimits.messageBytesMax, 'any message fits into a frame');
  for (const bytes of Object.values(limits.bufferedBytesMax)) {
    invariant(bytes > limits.frameBytesMax, 'any frame can be sent over an idle link');
  }
  invariant(limits.quietPeriodsMax >= 2, 'one late ping cuts nothing');
  invariant(limits.backoffMinMs <= limits.backoffMaxMs, 'backoff grows');
  invariant(limits.unprovenMax >= 2 * limits.peersMax, 'all peers may greet at once, on both channels');
}

checkPeerLinkLimits(peerLinkLimits);

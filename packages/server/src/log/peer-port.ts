/**
 * The other members as a log sees them: known by id, reached by frames that may get lost. A log of
 * one member has none.
 */
import type { MemberId } from '../paxos/ballot.js';
import type { Configuration } from '../paxos/configuration.js';

export interface PeerPortEvents {
  /** A link to a member stands, or is cut. */
  linked(member: MemberId, isUp: boolean): void;
  /** `from` is proven by the link. The bytes are the receiver's to keep. */
  frame(from: MemberId, bytes: Uint8Array): void;
}

export interface PeerPort {
  start(events: PeerPortEvents): void;
  /** Keeps links with the members of this configuration from now on. */
  configured(configuration: Configuration): void;
  /** In order per member; lost where there is no link. The bytes do not change afterwards. */
  send(to: MemberId, bytes: Uint8Array): void;
}

/**
 * Links between nodes as the machines see them: an authenticated node at the other end, frames in
 * order, everything in flight lost at a cut. Control frames and bulk (state transfer) use links of
 * their own, so that a heartbeat never waits behind a snapshot (NOTES of every system that lost leaders to it).
 */

export type PeerChannel = 'control' | 'bulk';

export interface PeerLinkEvents {
  /** `name` is proven: by its certificate, or by the cluster's secret. */
  linked(name: string, channel: PeerChannel): void;
  frame(name: string, channel: PeerChannel, bytes: Uint8Array): void;
  cut(name: string, channel: PeerChannel): void;
}

export interface PeerLinks {
  start(events: PeerLinkEvents): void;
  /** The nodes to keep links with, by name; replaces the former wish. Dials with backoff for as long as wanted. */
  want(peers: ReadonlyMap<string, string>): void;
  /** False: there is no link, or its bound is reached; the frame is dropped. */
  send(name: string, channel: PeerChannel, bytes: Uint8Array): boolean;
  /** Bytes given to `send` and not yet handed to the system. */
  bufferedBytes(name: string, channel: PeerChannel): number;
  stop(done: () => void): void;
}

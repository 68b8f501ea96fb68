/**
 * Links between nodes as the machines see them: an authenticated node at the other end, frames in
 * order, everything in flight lost at a cut. Control frames and bulk (state transfer) use links of
 * their own, so that a heartbeat never waits behind a snapshot (NOTES of every system that lost
 * leaders to it). Its laws are in `testing/peer-links-laws.ts`.
 */

export type PeerChannel = 'control' | 'bulk';

export const peerChannels: readonly PeerChannel[] = ['control', 'bulk'];

export interface PeerLinkEvents {
  /**
   * `name` is proven: by its certificate, or by the cluster's secret. It may be one that nobody
   * wanted: a stranger that knocks. `linked` and `cut` alternate for each name and channel.
   */
  linked(name: string, channel: PeerChannel): void;
  /** `bytes` are the receiver's to keep. */
  frame(name: string, channel: PeerChannel, bytes: Uint8Array): void;
  cut(name: string, channel: PeerChannel): void;
}

/** What an operator wants to know of one link. */
export interface PeerLinkState {
  readonly name: string;
  readonly channel: PeerChannel;
  readonly isUp: boolean;
  /** Wished by `want`; false: it came to us. */
  readonly isWanted: boolean;
  /** Where it is dialled; undefined: it came to us. */
  readonly address: string | undefined;
  /** Of the newest ping that was answered. */
  readonly roundTripMs: number | undefined;
  /** Why the last try failed: one of the codes in docs/errors.md, and a sentence. */
  readonly problem: { readonly code: string; readonly message: string } | undefined;
}

export interface PeerLinks {
  /** Before anything else. Strangers are greeted from now on. */
  start(events: PeerLinkEvents): void;
  /**
   * The nodes to keep links with, by name; replaces the former wish. Dials with backoff for as long
   * as wanted.
   */
  want(peers: ReadonlyMap<string, string>): void;
  /**
   * One frame out of `parts`. False: there is no link, or its bound is reached; the frame is
   * dropped. The bytes must not change afterwards. Errors: `message-too-large`.
   */
  send(name: string, channel: PeerChannel, ...parts: readonly Uint8Array[]): boolean;
  /** Bytes given to `send` and not yet handed to the system. */
  bufferedBytes(name: string, channel: PeerChannel): number;
  states(): readonly PeerLinkState[];
  /** Cuts everything; no event comes any more, not even `cut`. */
  stop(done: () => void): void;
}

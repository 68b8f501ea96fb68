/**
 * What a replica needs of a network: frames of text to a named peer, in order while the link lives.
 * A link can die at any moment; nothing is promised about frames that were under way.
 */
import type { OxbowError } from '../protocol/index.js';

export interface Link {
  /** Never throws; after the end it does nothing. */
  send(frame: string): void;
  close(): void;
}

export interface LinkEvents {
  opened(link: Link): void;
  received(frame: string): void;
  /** Exactly once, after which no other event comes. */
  closed(reason: string): void;
}

/** One configured way to reach others: `server(url, { token })`. */
export interface Transport {
  readonly name: string;
  /**
   * Addresses of the same service, in the order in which the app named them. Absent: there is one
   * way only.
   */
  readonly addresses?: readonly string[];
  /**
   * Starts one attempt, at that address if the transport has any: one of its own, or one that a
   * server named. Events come later, never in this turn. The returned function abandons it.
   */
  connect(events: LinkEvents, address?: string): () => void;
  /**
   * The token for the next `hello`; may be asked again after `token-expired`. With an error: none
   * to be had now (the attempt counts as failed). Never answers in this turn.
   */
  token?(done: (token: string | undefined, error?: OxbowError) => void): void;
}

/**
 * What a node needs of a network of clients: links that come, give frames of text in order, and
 * end. The WebSocket driver (client-links.ts) and the simulated network both hand their links to
 * `Accept`.
 */

export interface ServerLink {
  /** Never throws; after the end it does nothing. */
  send(frame: string): void;
  /**
   * Ends the link after what was sent before; `code` is told to the other side where the medium
   * can.
   */
  close(code: string): void;
}

export interface ServerLinkEvents {
  received(frame: string): void;
  /** Exactly once, after which no other event comes. `code` says why, as in docs/errors.md. */
  closed(code: string): void;
}

/** Called for each new link. Events come later, never in this turn. */
export type Accept = (link: ServerLink) => ServerLinkEvents;

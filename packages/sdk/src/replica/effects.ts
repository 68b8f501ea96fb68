/**
 * What the machines of a replica ask of the world. They only say it; the host does it
 * (host/replica-host.ts), and what comes of it is a later input. So one seed can replay a replica
 * with its disk and its links.
 */
import type { OxbowError, SpaceId } from '../protocol/index.js';

/** Number of a link within one run of a replica: never used twice. */
export type LinkId = number;

/**
 * Ties an answer to its question. Answers to questions that nobody waits for any more are ignored.
 */
export type Token = number;

/**
 * The same shape as the storage drivers' operation (drivers/storage.ts); a machine does not know
 * drivers.
 */
export type PersistOp =
  | {
      readonly kind: 'put';
      readonly collection: 'meta' | 'updates' | 'entries' | 'pages';
      readonly key: string;
      readonly value: string;
    }
  | {
      readonly kind: 'delete';
      readonly collection: 'meta' | 'updates' | 'entries' | 'pages';
      readonly key: string;
    };

export interface ReplicaEffects {
  /** Ask the transport's token source. Answer: `tokenFor` or `tokenFailed`, with `ask`. */
  askToken(transport: number, ask: Token): void;
  /**
   * Start one attempt, at that address where the transport has several (`Transport.addresses`).
   * Answers: `linkOpened`, `frame`…, `linkClosed`.
   */
  connect(transport: number, link: LinkId, address: string | undefined): void;
  send(link: LinkId, frame: string): void;
  /**
   * Abandon the attempt or the link, after what was sent before. The machine has forgotten it: no
   * answer is awaited.
   */
  cut(link: LinkId, reason: string): void;
  /**
   * One atomic write; at most one is under way. Answer: `persisted` or `persistFailed`, with
   * `token`.
   */
  persist(ops: readonly PersistOp[], token: Token): void;
  /** Call `tick` at this machine time (ms) or after; replaces the former wish. */
  wakeAt(atMs: number): void;
  /**
   * Call `flush` at the end of the present turn: what is changed until then shares one write, one
   * round of sending and one call of each listener.
   */
  flushSoon(): void;
  /** Whether this replica alone has something of the space, on its disk or only in memory. */
  unsynced(space: SpaceId, hasUnsynced: boolean): void;
  /** Something that nobody asked for went wrong and was dealt with; for the developer's eyes. */
  report(error: OxbowError): void;
}

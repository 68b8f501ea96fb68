/**
 * What the workload asks of a local database in a page. One small file per peer answers, in the
 * way in which its own documentation would have an app do it. What a peer cannot do it leaves out;
 * nobody is made to pretend.
 */
import type { Day, Event } from './document.js';

export interface Peer {
  /** Opens the database of that name; usable when resolved. */
  open(name: string): Promise<void>;
  /** Resolves when the write is visible to reads. */
  put(event: Event): Promise<void>;
  /** Resolves when this write is durable. Absent: the peer promises no durability. */
  putDurable?(event: Event): Promise<void>;
  /** Writes one by one without waiting between them; resolves when all are durable. */
  putPipelined?(events: readonly Event[]): Promise<void>;
  /** Changes the title of one event; resolves when visible. */
  retitle(id: string, title: string): Promise<void>;
  /** Untimed: what the other side of a first sync has ready. */
  prepareBulk?(events: readonly Event[]): Promise<void>;
  /** The first load of many events, as fast as the peer can. Resolves when visible. */
  bulk(events: readonly Event[]): Promise<void>;
  /** After `bulk`: resolves when it is durable. Absent: there is no such promise. */
  durable?(): Promise<void>;
  /** Untimed, before closing: what the peer does when it is idle. */
  settle?(): Promise<void>;
  all(): Promise<readonly Event[]>;
  day(day: Day): Promise<readonly Event[]>;
  /** Calls back with events of that day after one has changed. Returns the way to stop. */
  subscribe?(day: Day, changed: (events: readonly Event[]) => void): () => void;
  /** Untimed: what the other side prepares. */
  prepareRemote?(changed: readonly Event[]): Promise<void>;
  /** Changes of others arrive over unconfirmed edits of ours; resolves when all is settled. */
  receive?(changed: readonly Event[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * What the screens need of a shared calendar, in the calendar's own words. `open.ts` makes it
 * from a replica.
 */
import type { Replica } from '@oxbow/sdk';
import type { BookInput, Booking, MoveInput, Person, Room } from '../shapes.js';
import type { Calendar, Team } from './reading.js';
import type { Steps } from './steps.js';

/** Something current that can be watched: what `useSyncExternalStore` takes. */
export interface Store<T> {
  get(): T;
  subscribe(fn: () => void): () => void;
}

export type View = 'tentative' | 'committed';

/** What a change does as things stand here; the server has the last word. */
export interface Outlook {
  readonly kind: 'applied' | 'alternative' | 'merged' | 'rejected';
  /** For a rejection: why, in a sentence. */
  readonly reason: string | undefined;
}

/** A step that was taken back, or done again. */
export interface Turning {
  /** What the step had done. */
  readonly words: string;
  /** Why it was not; or why it would be refused, as things stand here. */
  readonly refused: string | undefined;
}

export interface Session {
  readonly space: string;
  readonly me: string;
  /** For the hooks (hooks.ts): what a screen watches. */
  readonly team: Team;
  readonly replica: Replica<Calendar>;
  /** As of now, for a click. */
  rooms(): readonly Room[];
  people(): readonly Person[];
  bookingsBetween(from: number, to: number): readonly Booking[];
  booking(id: string): { readonly booking: Booking; readonly committed: boolean } | undefined;

  book(booking: BookInput): Outlook;
  move(move: MoveInput): Outlook;
  edit(change: { id: string; title: string; notes: string }): Outlook;
  cancel(id: string): void;
  addRoom(room: Room): void;
  /** What was done here, to be taken back. */
  readonly steps: Pick<Steps, 'take'>;
  /** Takes the last step back, or does it again; undefined: there is none. */
  undo(): Turning | undefined;
  redo(): Turning | undefined;
  /** Takes a notice off the list, for good. */
  dismiss(noticeId: string): void;
  dismissAll(): void;
  /** Takes what was got; the notice leaves the list. */
  accept(noticeId: string): void;
  /** Asks again with other arguments, in place of the notice; undefined once that is gone. */
  retry(noticeId: string, args: BookInput | MoveInput): Outlook | undefined;
  /** Asks for the same once more, in place of the notice. */
  repeat(noticeId: string): void;

  goOffline(): void;
  goOnline(): void;
  close(): Promise<void>;
}

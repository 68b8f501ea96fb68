/** The replica's health and its queue, in the words of someone who books rooms. */
import type { LinkHealth, StorageHealth } from '@oxbow/sdk';
import { quoted } from '../quote.js';
import type { SyncState } from '../view/SyncStatus.js';

export function linkOf(links: readonly LinkHealth[]): SyncState['link'] {
  const states = new Set(links.map(({ state }) => state));
  // A link that is being replaced: by the time that a word is read it is there again.
  if (states.has('live') || states.has('resuming')) return 'online';
  return states.has('connecting') ? 'connecting' : 'offline';
}

interface Stalled {
  readonly code: string;
}

/** The server knows the person, and says no to this space. */
const REFUSALS = new Set(['forbidden']);

/** Code: the server will not have this person, or not in this space. */
export function refusalOf(
  stalled: Stalled | undefined,
  links: readonly LinkHealth[],
): string | undefined {
  if (stalled !== undefined && REFUSALS.has(stalled.code)) return stalled.code;
  return linkOf(links) === 'online' ? undefined : links.find(isRefused)?.code;
}

const isRefused = ({ state }: LinkHealth): boolean => state === 'refused';

const DAY_MS = 86_400_000;
export const daysOf = (waitingMs: number | undefined): number =>
  Math.floor((waitingMs ?? 0) / DAY_MS);

/** What the person should know beyond being offline; undefined while all is well. */
export function warningOf(
  storage: StorageHealth,
  links: readonly LinkHealth[],
  stalled?: Stalled,
): string | undefined {
  if (storage.status === 'memory') {
    return 'This browser does not let the calendar keep anything: what you book is lost if you close the page before it is sent.';
  }
  if (storage.status === 'failing' && storage.code === 'store-full') {
    return 'This device’s storage is full (store-full): free some room, or what you book now lasts only as long as this page is open.';
  }
  if (storage.status === 'failing') {
    return `The calendar cannot write to this device’s disk (${storage.code ?? 'unknown'}). Keep the page open.`;
  }
  if (stalled !== undefined && REFUSALS.has(stalled.code)) {
    return `You may not change this calendar (${stalled.code}): what waits here is not sent.`;
  }
  const refused = links.find(isRefused);
  if (refused === undefined) return undefined;
  return `The server does not accept this device (${refused.code ?? 'unknown'}): ${refused.reason ?? ''}`;
}

interface Args {
  readonly id?: unknown;
  readonly title?: unknown;
  readonly name?: unknown;
}

/** “Book “Planning””: one update that waits. */
export function waitingText(
  name: string,
  given: unknown,
  titleOf: (bookingId: string) => string | undefined,
): string {
  const args: Args = typeof given === 'object' && given !== null ? given : {};
  const title = quoted(String(args.title ?? titleOf(String(args.id)) ?? 'a booking'));
  switch (name) {
    case 'addRoom':
      return `Add the room ${quoted(String(args.name))}`;
    case 'addPerson':
      return `Introduce ${quoted(String(args.name))}`;
    case 'cancel':
      return 'Cancel a booking';
    case 'move':
      return `Move ${title}`;
    case 'edit':
      return `Change ${title}`;
    default:
      return `Book ${title}`;
  }
}

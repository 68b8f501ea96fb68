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

/** What the person should know beyond being offline; undefined while all is well. */
export function warningOf(
  storage: StorageHealth,
  links: readonly LinkHealth[],
): string | undefined {
  if (storage.status === 'memory') {
    return 'This browser does not let the calendar keep anything: what you book is lost if you close the page before it is sent.';
  }
  if (storage.status === 'failing') {
    return `The calendar cannot write to this device’s disk (${storage.code ?? 'unknown'}). Keep the page open.`;
  }
  const refused = links.find(({ state }) => state === 'refused');
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

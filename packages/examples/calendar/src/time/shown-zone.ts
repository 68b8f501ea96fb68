/**
 * The zone whose clocks the calendar shows: the one that was chosen, else the device's own, which
 * changes while its owner travels. Kept for the next time.
 */
import type { Store } from '../session/session.js';
import { Clock } from './clock.js';
import { isZone } from './zone.js';

const KEY = 'oxbow-calendar.zone';

export interface ShownZone extends Store<Clock> {
  /** Undefined while the device's own zone is shown. */
  readonly chosen: string | undefined;
  choose(zone: string | undefined): void;
}

/** Some platforms list a zone under the name that its town had decades ago. */
const RENAMED: Readonly<Record<string, string>> = {
  'Africa/Asmera': 'Africa/Asmara',
  'America/Godthab': 'America/Nuuk',
  'Asia/Calcutta': 'Asia/Kolkata',
  'Asia/Katmandu': 'Asia/Kathmandu',
  'Asia/Rangoon': 'Asia/Yangon',
  'Asia/Saigon': 'Asia/Ho_Chi_Minh',
  'Atlantic/Faeroe': 'Atlantic/Faroe',
  'Europe/Kiev': 'Europe/Kyiv',
  'Pacific/Ponape': 'Pacific/Pohnpei',
  'Pacific/Truk': 'Pacific/Chuuk',
};

/** A zone by the name of today, where the platform knows that one, too. */
function todaysName(zone: string): string {
  const renamed = RENAMED[zone];
  return renamed !== undefined && isZone(renamed) ? renamed : zone;
}

export const deviceZone = (): string =>
  todaysName(Intl.DateTimeFormat().resolvedOptions().timeZone);

/** “New York”: the town that a zone is named for. */
export const placeOf = (zone: string): string =>
  (zone.split('/').at(-1) ?? zone).replaceAll('_', ' ');

/** All that the platform knows, in order, and `more`. */
export const zoneNames = (more: readonly string[]): readonly string[] =>
  [...new Set([...Intl.supportedValuesOf('timeZone').map(todaysName), 'UTC', ...more])].sort();

/** A browser that keeps nothing throws at the mere look at its storage. */
function attempt<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch (error) {
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}

export function shownZone(store: () => Storage): ShownZone {
  const kept = attempt(() => store().getItem(KEY)) ?? undefined;
  const listeners = new Set<() => void>();
  let chosen = kept !== undefined && isZone(kept) ? kept : undefined;
  let clock = new Clock(chosen ?? deviceZone());
  const show = (): void => {
    const zone = chosen ?? deviceZone();
    if (zone === clock.zone) return;
    clock = new Clock(zone);
    listeners.forEach((fn) => fn());
  };
  document.addEventListener('visibilitychange', show);
  return {
    get: () => clock,
    subscribe(fn) {
      listeners.add(fn);
      return () => void listeners.delete(fn);
    },
    get chosen() {
      return chosen;
    },
    choose(zone) {
      chosen = zone;
      attempt(() => (zone === undefined ? store().removeItem(KEY) : store().setItem(KEY, zone)));
      show();
    },
  };
}

/**
 * From what a clock on the wall shows to an instant. A file's own VTIMEZONE decides; without one,
 * the name is looked up among the IANA zones that the platform knows, then among the names that
 * Windows programs use. A wall time that daylight saving skips is read with the offset before the
 * change; one that occurs twice means the first (RFC 5545 §3.3.5).
 */
import ICAL from 'ical.js';
import type { Block } from './lines.js';

/**
 * Fields as on the wall; months from 1. A date without a time has `isDate` and zero time fields.
 */
export interface Wall {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly isDate: boolean;
}

/** Turns a wall time into ms since 1970. */
export type Zone = (wall: Wall) => number;

const asIfUtc = (w: Wall): number =>
  Date.UTC(w.year, w.month - 1, w.day, w.hour, w.minute, w.second);

export const utc: Zone = asIfUtc;

const DAY_MS = 86_400_000;
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(name: string): Intl.DateTimeFormat {
  const known = formatters.get(name);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formatters.set(name, made);
  return made;
}

/** What the zone's clocks show at an instant. */
export function wallAt(instant: number, zoneName: string): Wall {
  const parts = new Map(
    formatterOf(zoneName)
      .formatToParts(instant)
      .map((p) => [p.type, p.value]),
  );
  const field = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type) ?? 0);
  return {
    year: field('year'),
    month: field('month'),
    day: field('day'),
    hour: field('hour'),
    minute: field('minute'),
    second: field('second'),
    isDate: false,
  };
}

const offsetAt = (instant: number, zoneName: string): number =>
  asIfUtc(wallAt(instant, zoneName)) - instant;

/** A zone by its IANA name, which must be known: see `isIana`. */
export function iana(zoneName: string): Zone {
  return (wall) => {
    const shown = asIfUtc(wall);
    const before = offsetAt(shown - DAY_MS, zoneName);
    const after = offsetAt(shown + DAY_MS, zoneName);
    const early = shown - before;
    const late = shown - after;
    if (offsetAt(early, zoneName) === before) return early;
    return offsetAt(late, zoneName) === after ? late : early;
  };
}

export function isIana(name: string): boolean {
  try {
    formatterOf(name);
    return true;
  } catch {
    return false;
  }
}

/** The Windows names met most often, as Unicode CLDR maps them. */
const WINDOWS: Readonly<Record<string, string>> = {
  UTC: 'UTC',
  'Dateline Standard Time': 'Etc/GMT+12',
  'Hawaiian Standard Time': 'Pacific/Honolulu',
  'Alaskan Standard Time': 'America/Anchorage',
  'Pacific Standard Time': 'America/Los_Angeles',
  'Mountain Standard Time': 'America/Denver',
  'US Mountain Standard Time': 'America/Phoenix',
  'Central Standard Time': 'America/Chicago',
  'Eastern Standard Time': 'America/New_York',
  'Atlantic Standard Time': 'America/Halifax',
  'E. South America Standard Time': 'America/Sao_Paulo',
  'GMT Standard Time': 'Europe/London',
  'Greenwich Standard Time': 'Atlantic/Reykjavik',
  'W. Europe Standard Time': 'Europe/Berlin',
  'Romance Standard Time': 'Europe/Paris',
  'Central Europe Standard Time': 'Europe/Budapest',
  'Central European Standard Time': 'Europe/Warsaw',
  'GTB Standard Time': 'Europe/Bucharest',
  'FLE Standard Time': 'Europe/Kiev',
  'E. Europe Standard Time': 'Europe/Chisinau',
  'Turkey Standard Time': 'Europe/Istanbul',
  'Russian Standard Time': 'Europe/Moscow',
  'Israel Standard Time': 'Asia/Jerusalem',
  'Egypt Standard Time': 'Africa/Cairo',
  'South Africa Standard Time': 'Africa/Johannesburg',
  'Arab Standard Time': 'Asia/Riyadh',
  'Arabian Standard Time': 'Asia/Dubai',
  'Pakistan Standard Time': 'Asia/Karachi',
  'India Standard Time': 'Asia/Kolkata',
  'SE Asia Standard Time': 'Asia/Bangkok',
  'China Standard Time': 'Asia/Shanghai',
  'Singapore Standard Time': 'Asia/Singapore',
  'Tokyo Standard Time': 'Asia/Tokyo',
  'Korea Standard Time': 'Asia/Seoul',
  'AUS Eastern Standard Time': 'Australia/Sydney',
  'E. Australia Standard Time': 'Australia/Brisbane',
  'W. Australia Standard Time': 'Australia/Perth',
  'New Zealand Standard Time': 'Pacific/Auckland',
  'Samoa Standard Time': 'Pacific/Apia',
};

/** Some programs prefix names: /freeassociation.sourceforge.net/Europe/Berlin. */
function ianaName(tzid: string): string | undefined {
  const windows = WINDOWS[tzid];
  const tail = /([A-Za-z_]+\/[A-Za-z_+\-0-9]+(?:\/[A-Za-z_]+)?)$/.exec(tzid)?.[1];
  return [tzid, windows, tail].find((name) => name !== undefined && isIana(name));
}

/** The time zones of one file. */
export class Zones {
  readonly #local: Zone;
  readonly #byId = new Map<string, Zone>();

  constructor(localZoneName: string) {
    this.#local = iana(localZoneName);
  }

  /** For times without a zone: the reader's own. */
  get local(): Zone {
    return this.#local;
  }

  /** Throws what the library says of a VTIMEZONE that it cannot read. */
  define(block: Block): void {
    const jcal: unknown = ICAL.parse(block.whole.map((l) => l.text).join('\r\n'));
    // reason: parse answers `any[]`; for one component it is that component's jCal array.
    const component = new ICAL.Component(jcal as ConstructorParameters<typeof ICAL.Component>[0]);
    const tzid = component.getFirstPropertyValue('tzid');
    if (typeof tzid !== 'string') throw new Error('it has no TZID');
    if (component.getAllSubcomponents().length === 0) throw new Error('it has no rules');
    const zone = new ICAL.Timezone({ component, tzid });
    // A rule that cannot be computed must fail here, not at every event that uses the zone.
    zone.utcOffset(new ICAL.Time({ year: 2026, month: 7, day: 1 }, zone));
    this.#byId.set(tzid, (wall) => new ICAL.Time(wall, zone).toUnixTime() * 1000);
  }

  find(tzid: string): Zone | undefined {
    const known = this.#byId.get(tzid);
    if (known !== undefined) return known;
    const name = ianaName(tzid);
    if (name === undefined) return undefined;
    const zone = iana(name);
    this.#byId.set(tzid, zone);
    return zone;
  }
}

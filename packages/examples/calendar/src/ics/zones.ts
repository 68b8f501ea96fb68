/**
 * From what a clock on the wall shows to an instant. A file's own VTIMEZONE decides; without one,
 * the name is looked up among the IANA zones that the platform knows, then among the names that
 * Windows programs use. A wall time that daylight saving skips is read with the offset before the
 * change; one that occurs twice means the first (RFC 5545 §3.3.5).
 */
import ICAL from 'ical.js';
import { asIfUtc, instantOf, isZone, type Wall } from '../time/zone.js';
import type { Block } from './lines.js';

/** Turns a wall time into ms since 1970. */
export interface Zone {
  (wall: Wall): number;
  /** Its IANA name, where it has one that the platform knows. */
  readonly iana?: string;
}

export const utc: Zone = asIfUtc;

/** A zone by its IANA name, which must be known: see `isZone`. */
export function iana(name: string): Zone {
  return Object.assign((wall: Wall) => instantOf(wall, name), { iana: name });
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
  return [tzid, windows, tail].find((name) => name !== undefined && isZone(name));
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
    const read = (wall: Wall): number => new ICAL.Time(wall, zone).toUnixTime() * 1000;
    const name = ianaName(tzid);
    this.#byId.set(tzid, name === undefined ? read : Object.assign(read, { iana: name }));
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

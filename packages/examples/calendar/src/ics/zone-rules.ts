/**
 * The rules of a zone as a VTIMEZONE, for a stretch of time: the changes of its clocks one by one,
 * as the platform knows them. Rules that go on for ever ("last Sunday of March") would say more
 * than the platform tells, and have been wrong whenever a parliament met.
 */
import ICAL from 'ical.js';
import { changesIn, offsetAt, wallOfUtc, type Change } from '../time/zone.js';

const YEAR_MS = 366 * 86_400_000;

/** “+0530” */
function offsetText(ms: number): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const seconds = Math.abs(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const [hours = 0, minutes = 0, rest = 0] = parts;
  return `${ms < 0 ? '-' : '+'}${two(hours)}${two(minutes)}${rest === 0 ? '' : two(rest)}`;
}

/** From when on which offset holds; told by the clocks that were right until then. */
function observance({ at, before, after }: Change): ICAL.Component {
  const part = new ICAL.Component(after > before ? 'daylight' : 'standard');
  const start = new ICAL.Time(wallOfUtc(at + before), ICAL.Timezone.localTimezone);
  part.addPropertyWithValue('dtstart', start);
  part.addPropertyWithValue('tzoffsetfrom', ICAL.UtcOffset.fromString(colon(before)));
  part.addPropertyWithValue('tzoffsetto', ICAL.UtcOffset.fromString(colon(after)));
  return part;
}

/** The library reads “+05:30” and writes “+0530”. */
const colon = (ms: number): string =>
  offsetText(ms).replace(/^(...)(..)(..)?$/, (_, h: string, m: string, s?: string) =>
    [h, m, ...(s === undefined ? [] : [s])].join(':'));

/** Holds from `from` to `to`, instants in ms, and a year to both sides. */
export function zoneRules(zone: string, from: number, to: number): ICAL.Component {
  const rules = new ICAL.Component('vtimezone');
  rules.addPropertyWithValue('tzid', zone);
  const since = Math.max(0, from - YEAR_MS);
  const offset = offsetAt(since, zone);
  const first = { at: since, before: offset, after: offset };
  for (const change of [first, ...changesIn(zone, since, to + YEAR_MS)])
    rules.addSubcomponent(observance(change));
  return rules;
}

/**
 * An .ics file to events that take place: zones first, then events, then their series within a
 * window. What cannot be read is reported with its line; everything else comes through.
 */
import { instantOf, parseEvent, type ParsedEvent } from './event.js';
import { describe, readBlocks, type Block, type Problem } from './lines.js';
import { endOf, isSeries, occurrences, type Span, type Window } from './recurrence.js';
import { Zones } from './zones.js';

export interface CalendarEvent extends Span {
  /** Where the event begins in the file. */
  readonly line: number;
  readonly uid: string;
  readonly title: string;
  readonly notes: string;
  readonly location: string;
  /** Occurrences of one series share it; undefined for an event that stands alone. */
  readonly series: string | undefined;
  /** IANA name of the zone that the file tells its times in; undefined where it has none. */
  readonly zone: string | undefined;
}

export interface ReadOptions {
  /** Series are expanded within it; events that stand alone are read whenever they are. */
  readonly window: Window;
  /** IANA name of the reader's own time zone, for times without one. */
  readonly localZone: string;
}

export interface ReadResult {
  readonly events: readonly CalendarEvent[];
  /** In order of lines. */
  readonly problems: readonly Problem[];
}

/** Characters. A calendar of ten years fits several times over. */
export const TEXT_MAX = 16 * 1024 * 1024;
export const EVENTS_MAX = 5_000;

function readZones(blocks: readonly Block[], localZone: string, problems: Problem[]): Zones {
  const zones = new Zones(localZone);
  for (const block of blocks) {
    if (block.name !== 'VTIMEZONE') continue;
    try {
      zones.define(block);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      problems.push({ line: block.line, reason: `This time zone cannot be read: ${why}` });
    }
  }
  return zones;
}

function readEvents(blocks: readonly Block[], zones: Zones, problems: Problem[]): ParsedEvent[] {
  const events: ParsedEvent[] = [];
  for (const block of blocks) {
    if (block.name === 'VEVENT') {
      const read = parseEvent(block, zones);
      problems.push(...read.problems);
      if (read.event !== undefined) events.push(read.event);
    } else if (block.name !== 'VTIMEZONE') {
      problems.push({
        line: block.line,
        reason: `${describe(block.name)} is not an event: left out`,
      });
    }
  }
  return events;
}

/** Uid → original starts of the occurrences that have an event of their own. */
function replacedStarts(events: readonly ParsedEvent[]): Map<string, Set<number>> {
  const byUid = new Map<string, Set<number>>();
  for (const { uid, replaces } of events) {
    if (replaces === undefined) continue;
    const starts = byUid.get(uid) ?? new Set();
    byUid.set(uid, starts.add(instantOf(replaces)));
  }
  return byUid;
}

const NONE: ReadonlySet<number> = new Set();

export function readCalendar(text: string, { window, localZone }: ReadOptions): ReadResult {
  if (text.length > TEXT_MAX) {
    return {
      events: [],
      problems: [{ line: 1, reason: 'This file is too large: it was not read' }],
    };
  }
  const { blocks, problems } = readBlocks(text);
  if (blocks.length === 0 && problems.length === 0) {
    return {
      events: [],
      problems: [{ line: 1, reason: 'This is not a calendar file: it holds no events' }],
    };
  }
  const parsed = readEvents(blocks, readZones(blocks, localZone, problems), problems);
  const seriesUids = new Set(parsed.filter(isSeries).map((event) => event.uid));
  const replaced = replacedStarts(parsed);
  const events: CalendarEvent[] = [];
  for (const event of parsed.filter((e) => !e.cancelled)) {
    const spans = spansOf(event, window, replaced.get(event.uid) ?? NONE, problems);
    const { line, uid, title, notes, location, start } = event;
    const zone = start.zone.iana;
    const series = seriesUids.has(uid) ? uid : undefined;
    const about = { line, uid, title, notes, location, series, zone };
    events.push(...spans.map((span) => ({ ...span, ...about })));
  }
  if (events.length > EVENTS_MAX) {
    const first = events[EVENTS_MAX];
    problems.push({
      line: first?.line ?? 1,
      reason: `More than ${EVENTS_MAX} events: the rest was left out`,
    });
  }
  return {
    events: events.slice(0, EVENTS_MAX),
    problems: problems.sort((a, b) => a.line - b.line),
  };
}

function spansOf(
  event: ParsedEvent,
  window: Window,
  replaced: ReadonlySet<number>,
  problems: Problem[],
): Span[] {
  if (!isSeries(event)) {
    const start = instantOf(event.start);
    return [{ start, end: endOf(event.start.wall, event.start.zone, event.length) }];
  }
  const found = occurrences(event, window, replaced);
  problems.push(...found.problems);
  return found.spans;
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changesIn, instantOf, instantsOf, isSameZone, isZone, offsetAt, wallAt, wallOfUtc, type Wall } from './zone.js';

const wall = (text: string): Wall => wallOfUtc(Date.parse(`${text}Z`));
const iso = (ms: number): string => new Date(ms).toISOString();
const instants = (text: string, zone: string): string[] => instantsOf(wall(text), zone).map(iso);

const ZONES = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia', 'Australia/Lord_Howe', 'Asia/Kathmandu'];

describe('what the clocks show, and when', () => {
  it('an hour that the clocks jump over is no instant, one that comes twice is two', () => {
    expect(instants('2026-03-29T02:30', 'Europe/Berlin')).toEqual([]);
    expect(instants('2026-10-25T02:30', 'Europe/Berlin')).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-25T01:30:00.000Z',
    ]);
    expect(instants('2026-03-08T02:00', 'America/New_York')).toEqual([]);
    expect(instants('2026-11-01T01:00', 'America/New_York')).toEqual([
      '2026-11-01T05:00:00.000Z',
      '2026-11-01T06:00:00.000Z',
    ]);
    // Half an hour only.
    expect(instants('2026-10-04T02:15', 'Australia/Lord_Howe')).toEqual([]);
    expect(instants('2026-10-04T02:30', 'Australia/Lord_Howe')).toHaveLength(1);
    expect(instants('2026-04-05T01:45', 'Australia/Lord_Howe')).toHaveLength(2);
  });

  it('a zone of odd minutes has one instant for each time', () => {
    expect(instants('2026-06-01T09:00', 'Asia/Kolkata')).toEqual(['2026-06-01T03:30:00.000Z']);
    expect(instants('2026-06-01T09:00', 'Asia/Kathmandu')).toEqual(['2026-06-01T03:15:00.000Z']);
  });

  it('Apia had no 30 December 2011', () => {
    for (const time of ['00:00', '12:00', '23:59']) {
      expect(instants(`2011-12-30T${time}`, 'Pacific/Apia'), time).toEqual([]);
    }
    expect(instants('2011-12-29T23:59', 'Pacific/Apia')).toEqual(['2011-12-30T09:59:00.000Z']);
    expect(instants('2011-12-31T00:00', 'Pacific/Apia')).toEqual(['2011-12-30T10:00:00.000Z']);
    expect(changesIn('Pacific/Apia', Date.UTC(2011, 11, 1), Date.UTC(2012, 0, 31))).toEqual([
      { at: Date.UTC(2011, 11, 30, 10), before: -10 * 3_600_000, after: 14 * 3_600_000 },
    ]);
  });

  it('a time that is jumped over comes out as much later, one that comes twice as the first', () => {
    expect(iso(instantOf(wall('2026-03-29T02:30'), 'Europe/Berlin'))).toBe('2026-03-29T01:30:00.000Z');
    expect(iso(instantOf(wall('2026-10-25T02:30'), 'Europe/Berlin'))).toBe('2026-10-25T00:30:00.000Z');
    expect(iso(instantOf(wall('2011-12-30T12:00'), 'Pacific/Apia'))).toBe('2011-12-30T22:00:00.000Z');
  });

  it('any instant is among those that its own time on the wall means', () => {
    const instant = fc.integer({ min: 0, max: 2 ** 31 }).map((seconds) => seconds * 1000);
    fc.assert(
      fc.property(instant, fc.constantFrom(...ZONES), (at, zone) => {
        expect(instantsOf(wallAt(at, zone), zone)).toContain(at);
      }),
      { numRuns: 400 },
    );
  });

  it('the changes of a year explain every difference of offsets', () => {
    const [from, to] = [Date.UTC(2026, 0, 1), Date.UTC(2027, 0, 1)];
    for (const zone of ZONES) {
      const changes = changesIn(zone, from, to);
      for (const { at, before, after } of changes) {
        expect([offsetAt(at - 1, zone), offsetAt(at, zone)]).toEqual([before, after]);
      }
      for (let at = from; at < to; at += 7 * 3_600_000) {
        const last = changes.filter((change) => change.at <= at).at(-1);
        expect(offsetAt(at, zone)).toBe(last?.after ?? offsetAt(from, zone));
      }
    }
    expect(changesIn('Asia/Kolkata', from, to)).toEqual([]);
  });

  it('knows zones by all their names', () => {
    expect(isZone('Europe/Berlin')).toBe(true);
    expect(isZone('Europe/Atlantis')).toBe(false);
    expect(isSameZone('Asia/Kolkata', 'Asia/Calcutta')).toBe(true);
    expect(isSameZone('Europe/Berlin', 'Europe/Paris')).toBe(false);
    expect(isSameZone('Europe/Berlin', 'Europe/Atlantis')).toBe(false);
  });
});

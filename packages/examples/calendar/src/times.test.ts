import { describe, expect, it } from 'vitest';
import { dayText, rangeText, slotText, timeText } from './times.js';

const at = (day: number, hour: number, minute = 0): number =>
  new Date(2026, 11, day, hour, minute).getTime();

describe('a stretch of time in words', () => {
  it('within a day: the day once, and both times', () => {
    const slot = { start: at(10, 9, 30), end: at(10, 14) };
    expect(slotText(slot)).toBe(`${dayText(slot.start)}, ${rangeText(slot)}`);
    expect(rangeText(slot)).toMatch(/^0?9:30.*\d:00/);
    expect(rangeText(slot)).not.toContain(dayText(slot.start));
  });

  it('over midnight: the day of the end is said too', () => {
    const slot = { start: at(10, 22), end: at(11, 1) };
    const until = `${dayText(slot.end)}, ${timeText(slot.end)}`;
    expect(rangeText(slot)).toBe(`${timeText(slot.start)} – ${until}`);
  });

  it('midnight at the end of a day belongs to that day', () => {
    const slot = { start: at(10, 22), end: at(11, 0) };
    expect(rangeText(slot)).toBe(`${timeText(slot.start)} – ${timeText(slot.end)}`);
  });

  it('whole days have no times', () => {
    expect(rangeText({ start: at(10, 0), end: at(11, 0) })).toBe('all day');
    expect(slotText({ start: at(10, 0), end: at(11, 0) })).toBe(`${dayText(at(10, 0))}, all day`);
    expect(slotText({ start: at(10, 0), end: at(12, 0) })).toBe(
      `${dayText(at(10, 0))} – ${dayText(at(11, 0))}, whole days`,
    );
  });
});

import { describe, expect, it } from 'vitest';
import { daysOf, linkOf, refusalOf, waitingText, warningOf } from './sync-words.js';

const wire = { transport: 'ws://x' } as const;
const disk = { kind: 'indexeddb', status: 'ok' } as const;

describe('the state of the replica in words', () => {
  it('one live link is enough to be online; one that is tried again is not', () => {
    expect(linkOf([])).toBe('offline');
    expect(linkOf([{ ...wire, state: 'waiting' }])).toBe('offline');
    expect(
      linkOf([
        { ...wire, state: 'waiting' },
        { ...wire, state: 'connecting' },
      ]),
    ).toBe('connecting');
    expect(linkOf([{ ...wire, state: 'resuming' }])).toBe('online');
    expect(
      linkOf([
        { ...wire, state: 'refused', code: 'x' },
        { ...wire, state: 'live' },
      ]),
    ).toBe('online');
  });

  it('warns when bookings would not outlive the page, and when the server will not have us', () => {
    expect(warningOf(disk, [{ ...wire, state: 'live' }])).toBeUndefined();
    expect(
      warningOf({ kind: 'memory', status: 'memory', code: 'store-unavailable' }, []),
    ).toContain('lost');
    expect(warningOf({ ...disk, status: 'failing', code: 'store-full' }, [])).toContain(
      'store-full',
    );
    expect(warningOf(disk, [{ ...wire, state: 'refused', code: 'token-invalid' }])).toContain(
      'token-invalid',
    );
  });

  it('says when the server has no place for this person: at the door, or in this space', () => {
    const refused = { ...wire, state: 'refused', code: 'token-invalid' } as const;
    expect(refusalOf(undefined, [refused])).toBe('token-invalid');
    expect(refusalOf({ code: 'forbidden' }, [{ ...wire, state: 'live' }])).toBe('forbidden');
    expect(warningOf(disk, [], { code: 'forbidden' })).toContain('not sent');
    // Another node takes it.
    expect(refusalOf(undefined, [refused, { ...wire, state: 'live' }])).toBeUndefined();
    expect(refusalOf({ code: 'not-connected' }, [])).toBeUndefined();
  });

  it('counts whole days that the oldest change has waited', () => {
    expect([undefined, 23 * 3_600_000, 49 * 3_600_000].map(daysOf)).toEqual([0, 0, 2]);
  });

  it('names each update that waits', () => {
    const titleOf = (id: string) => (id === 'b1' ? 'Planning' : undefined);
    expect(waitingText('book', { id: 'b2', title: 'Retro' }, titleOf)).toBe('Book “Retro”');
    expect(waitingText('move', { id: 'b1' }, titleOf)).toBe('Move “Planning”');
    expect(waitingText('edit', { id: 'b9' }, titleOf)).toBe('Change “a booking”');
    expect(waitingText('addRoom', { id: 'r', name: 'Kiln' }, titleOf)).toBe('Add the room “Kiln”');
    expect(waitingText('cancel', null, titleOf)).toBe('Cancel a booking');
  });
});

import { expect, it } from 'vitest';
import { quoted } from './quote.js';

it('a title of ordinary length is quoted as it is', () => {
  expect(quoted('Planning')).toBe('“Planning”');
});

it('a long title is cut between signs, not within one', () => {
  expect(quoted('🎉'.repeat(70))).toBe(`“${'🎉'.repeat(59)}…”`);
  expect(quoted(`${'word '.repeat(20)}`)).toMatch(/word…”$/);
});

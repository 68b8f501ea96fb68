import { expect, it } from 'vitest';
import { readBlocks } from './lines.js';

const problems = (text: string): string[] =>
  readBlocks(text).problems.map(({ line, reason }) => `${line}: ${reason}`);

it('a line between events that means nothing is reported where it stands', () => {
  const text = 'BEGIN:VCALENDAR\nVERSION:2.0\nnonsense\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR';
  expect(problems(text)).toEqual([
    '3: This line cannot be read: it does not begin with a name and a colon',
  ]);
});

it('lines of a file that is no calendar are not reported one by one', () => {
  expect(problems('PK and then\nanything at all\n')).toEqual([]);
});

import { expect, test } from 'vitest';
import { OxbowError } from '@oxbow/sdk/protocol';
import { createLogger } from './log.js';

test('a line is one JSON object with level, time, event and fields', () => {
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', write: (line) => lines.push(line) });
  logger.log('debug', 'quiet', {});
  logger.log('warn', 'link-closed', { link: 7, code: 'slow-reader' });
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'warn', event: 'link-closed', link: 7, code: 'slow-reader',
    time: expect.stringMatching(/^\d{4}-/) as string,
  });
});

test('secrets are blotted out wherever they are given by mistake', () => {
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', write: (line) => lines.push(line) });
  logger.log('info', 'hello', { token: 'abc123', hello: { token: 'abc123', secret: 'abc123' } });
  expect(lines.join()).not.toContain('abc123');
});

test('an error comes with its code, sentence and cause', () => {
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', write: (line) => lines.push(line) });
  const error = new OxbowError('log-failed', 'The log failed.', { cause: new Error('EIO') });
  logger.log('error', 'node-failed', { error });
  expect(lines.join()).toContain('log-failed');
  expect(lines.join()).toContain('EIO');
});

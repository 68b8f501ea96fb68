import { expect, it } from 'vitest';
import { checkLimits } from './index.js';

it('the bounds of the protocol do not contradict each other', () => {
  expect(checkLimits).not.toThrow();
});

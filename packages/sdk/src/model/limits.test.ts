import { expect, it } from 'vitest';
import { limits } from '../protocol/index.js';
import * as modelLimits from './limits.js';

it('what one execution may do fits into what travels', () => {
  const atMost: readonly (readonly [string, number, number])[] = [
    ['a frame carries any key', modelLimits.keyCharsMax, limits.keyCharsMax],
    ['an entry carries any execution', modelLimits.writesMax, limits.effectsPerEntryMax],
    ['a frame carries any table name', modelLimits.nameCharsMax, limits.tableCharsMax],
    ['a frame carries any mutation name', modelLimits.nameCharsMax, limits.nameCharsMax],
    ['a row is bounded before it is text', modelLimits.valueUnitsMax, limits.rowCharsMax],
    [
      'an entry has room for the effects beside the body',
      modelLimits.writeUnitsMax + limits.updateCharsMax, limits.entryCharsMax,
    ],
    ['every write is a step', modelLimits.writesMax, modelLimits.stepsMax],
  ];
  for (const [sentence, less, more] of atMost) expect(less, sentence).toBeLessThanOrEqual(more);
});

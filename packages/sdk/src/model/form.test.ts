import { expect, test } from 'vitest';
import type { Row } from '../protocol/index.js';
import { FIRST_FORM, FORM_TABLE, formEffect, formIn, formOf } from './form.js';
import { keyText } from './key.js';

const key = keyText('form');

test('a form is what it was, by way of a row', () => {
  for (const form of [
    { version: 3 },
    { version: 3, from: 2, until: ['booking', keyText('b')] as const },
  ]) {
    const effect = formEffect(form);
    expect(formIn([effect])).toEqual(form);
    expect(formOf({ row: () => effect.row ?? undefined })).toEqual(form);
  }
  expect(formIn([])).toBeUndefined();
  expect(formOf({ row: () => undefined })).toEqual(FIRST_FORM);
});

test('what no primary writes there says nothing, and harms nothing', () => {
  for (const row of [null, {}, { version: 'x' }, { version: null }]) {
    expect(formIn([{ table: FORM_TABLE, key, row }])).toBeUndefined();
  }
  const halves: Row[] = [
    { version: 2, from: 1 }, { version: 2, from: 1, until: 'item' },
    { version: 2, from: 1, until: ['item'] }, { version: 2, from: 'x', until: ['item', 'k'] },
  ];
  for (const row of halves) {
    expect(formIn([{ table: FORM_TABLE, key, row }])).toEqual({ version: 2 });
  }
});

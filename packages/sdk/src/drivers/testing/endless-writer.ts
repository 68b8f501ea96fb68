/**
 * A process that writes pairs of records for ever and says after each write that it is done: to be
 * killed (storage-file.test.ts). When it cannot open the store, or write, it says why and ends.
 */
import { file } from '../storage-file.js';
import type { Store } from '../storage.js';
import { put } from './storage-laws.js';

/** Blanks that each record has behind its number. */
const [, , path = '', blanks = '0'] = process.argv;

file(path).open((opened) => {
  if (opened.ok) writeOn(opened.value, 0);
  else process.stdout.write(`${opened.error.code}\n`);
});

function writeOn(store: Store, n: number): void {
  const key = String(n).padStart(9, '0');
  store.write([put('meta', key, String(n)), put('updates', key, String(n).padEnd(Number(blanks)))], (written) => {
    if (!written.ok) return void process.stdout.write(`${written.error.code}: ${written.error.message}\n`);
    process.stdout.write(`${n}\n`);
    writeOn(store, n + 1);
  });
}

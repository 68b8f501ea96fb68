/**
 * Takes the state of one store into another and dies at a given step: before or after any call that
 * changes a file. Says how many steps there were if it came to the end.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [from = '', to = '', step = '0'] = process.argv.slice(2);
let steps = 0;
let isCounting = false;

function maybeDie(): void {
  if (!isCounting) return;
  steps += 1;
  if (steps === Number(step)) process.kill(process.pid, 'SIGKILL');
}

const changing = ['renameSync', 'fsyncSync', 'rmSync', 'mkdirSync', 'openSync', 'closeSync'] as const;
for (const name of changing) {
  const plain = fs[name] as (...args: unknown[]) => unknown;
  Object.assign(fs, {
    [name]: (...args: unknown[]) => {
      maybeDie();
      const result = plain.apply(fs, args);
      maybeDie();
      return result;
    },
  });
}
syncBuiltinESMExports();

const { openLmdbStore } = await import('../lmdb-store.js');
const { close, opened } = await import('../../space/testing/store-calls.js');
const { copy, exported, importing } = await import('../../space/testing/state-transfer-laws.js');

const source = openLmdbStore({ path: from });
const target = openLmdbStore({ path: to });
await opened(target);
const picture = await exported(source);
isCounting = true;
const { slot, cluster } = picture.head;
const taking = await importing(target, { slot, cluster, base: 'base' });
maybeDie();
await copy(picture, taking, 2_000);
maybeDie();
isCounting = false;
picture.close();
await close(source);
await close(target);
process.stdout.write(`steps ${steps}\n`);

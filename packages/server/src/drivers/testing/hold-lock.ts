/** A process that takes a data directory, says so, and lives until it is killed. */
import { lockData } from '../data-lock.js';

await lockData(process.argv[2] ?? '');
process.stdout.write('held\n');
setInterval(() => undefined, 1_000);

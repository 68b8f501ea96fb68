/** The command `oxbow` from the sources: what bin/oxbow.js is for the built package. */
import { main } from '../../packages/server/src/cli/main.js';

await main(process.argv);

/** The command from the sources, as a process of its own. */
import { main } from '../main.js';

await main(process.argv);

/**
 * The calendar's page as it is built to be served: its own configuration, service worker included.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** The folder of the calendar's package. */
export const example = fileURLToPath(new URL('../../packages/examples/calendar', import.meta.url));

/** `entry`: another name of the entry file makes it another build, with the same sources. */
export async function buildCalendarPage(outDir: string, entry = 'index'): Promise<void> {
  await build({
    root: example,
    configFile: join(example, 'vite.config.ts'),
    logLevel: 'error',
    build: {
      outDir,
      emptyOutDir: true,
      rolldownOptions: { output: { entryFileNames: `assets/${entry}-[hash].js` } },
    },
  });
}

/** The list app as one module that a node loads. */
import { join } from 'node:path';
import { build } from 'esbuild';

/** Returns its path in `folder`. */
export async function bundledApp(folder: string): Promise<string> {
  const outfile = join(folder, 'list-app.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'list-app.ts')], outfile,
    bundle: true, platform: 'node', format: 'esm', conditions: ['oxbow-source'],
  });
  return outfile;
}

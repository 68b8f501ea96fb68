/** Apps as one module that a node loads. */
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Version } from '../e2e/upgrade-app.js';

/** The list app. Returns its path in `folder`. */
export async function bundledApp(folder: string): Promise<string> {
  const outfile = join(folder, 'list-app.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'list-app.ts')], outfile,
    bundle: true, platform: 'node', format: 'esm', conditions: ['oxbow-source'],
  });
  return outfile;
}

/** The app of two versions, as one or the other: where the last one lay, as an operator does it. */
export async function bundledVersion(folder: string, version: Version): Promise<string> {
  const outfile = join(folder, 'tasks-app.mjs');
  const contents = `import { apps } from './upgrade-app.ts';\nexport default apps[${version}];\n`;
  await build({
    stdin: { contents, resolveDir: join(import.meta.dirname, '../e2e'), loader: 'ts' }, outfile,
    bundle: true, platform: 'node', format: 'esm', conditions: ['oxbow-source'],
  });
  return outfile;
}

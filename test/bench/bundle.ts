/** One file out of a TypeScript module of ours and what it imports, as an app would ship it. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const REQUIRE =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** `name`: of a file in this folder. Returns the bundle's path. */
export async function bundle(name: string, folder: string): Promise<string> {
  const outfile = join(folder, name.replace('.ts', '.mjs'));
  await build({
    entryPoints: [join(here, name)], outfile,
    bundle: true, platform: 'node', format: 'esm', conditions: ['oxbow-source'],
    banner: { js: REQUIRE },
  });
  return outfile;
}

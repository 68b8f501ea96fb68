// The weight of the SDK in a page: the whole entry, bundled and compressed, against its bound.
import { gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** It may not grow unnoticed; making it smaller is work of its own. */
const LIMIT_KIB = 66;
const root = fileURLToPath(new URL('..', import.meta.url));
const result = await build({
  entryPoints: [`${root}packages/sdk/src/index.ts`],
  bundle: true, minify: true, write: false, format: 'esm', target: 'es2022', platform: 'browser',
  conditions: ['oxbow-source'], legalComments: 'none',
});
const kib = gzipSync(result.outputFiles[0].contents, { level: 9 }).length / 1024;
console.log(`@oxbow/sdk: ${kib.toFixed(1)} KiB gzip (limit ${LIMIT_KIB})`);
if (kib > LIMIT_KIB) process.exit(1);

// The weight of the SDK in a page, bundled and compressed, against its bounds: the core that every
// page needs, and each entry; what it carries from its start, and what is loaded when it is needed.
// What stands beside an entry counts for itself: in a page that has the core it weighs less.
import { gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** KiB. They may not grow unnoticed; making them smaller is work of its own. */
const CASES = [
  ['core with IndexedDB and WebSocket', '{ openReplica, indexedDb, server }', '', 60],
  ['whole entry', '*', '', 72],
  ['an app definition', '{ defineApp, mutation, reject, table, unchecked }', '', 8],
  ['model', '*', '/model', 12.5],
  ['protocol', '*', '/protocol', 18],
  ['React hooks', '*', '/react', 2],
  ['TanStack DB collections', '*', '/tanstack', 2],
  ['inspector', '*', '/inspector', 20],
];
const root = fileURLToPath(new URL('..', import.meta.url));
/** What a page fetches later stays out of what is weighed. */
const later = {
  name: 'later',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^\./ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined);
  },
};

async function kib(names, entry, plugins) {
  const result = await build({
    stdin: {
      contents: `export ${names} from '@oxbow/sdk${entry}'`,
      resolveDir: `${root}packages/sdk`,
    },
    bundle: true, minify: true, write: false, format: 'esm', target: 'es2022', platform: 'browser',
    conditions: ['oxbow-source'], external: ['react'], legalComments: 'none', plugins,
  });
  return gzipSync(result.outputFiles[0].contents, { level: 9 }).length / 1024;
}

let isTooLarge = false;
for (const [what, names, entry, limitKib] of CASES) {
  const startKib = await kib(names, entry, [later]);
  const moreKib = (await kib(names, entry, [])) - startKib;
  const more = moreKib > 0.05 ? `, ${moreKib.toFixed(1)} more when needed` : '';
  console.log(`${what}: ${startKib.toFixed(1)} KiB gzip (limit ${limitKib})${more}`);
  isTooLarge ||= startKib > limitKib;
}
if (isTooLarge) process.exit(1);

/**
 * Bundles the worker that keeps the page (src/installed/worker.ts), with a list of all files that
 * this build has made. The list is taken from the folder as written: what another plugin adds is
 * in it, too. vite-plugin-pwa does the same and more, for three hundred further packages.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Plugin } from 'vite';

const WORKER = fileURLToPath(new URL('src/installed/worker.ts', import.meta.url));
const WORKER_NAME = 'page-worker.js';
/** Nobody misses them without a connection. */
const LEFT_OUT = /\.(map|txt)$/;
/** A file whose name holds its hash is known by its name. */
const HASHED = /-[\w-]{8}\.\w+$/;

interface KeptFile {
  readonly url: string;
  readonly revision: string | null;
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((name) => name !== WORKER_NAME && !LEFT_OUT.test(name))
    .sort();
}

function keptFile(folder: string, url: string): KeptFile {
  if (HASHED.test(url)) return { url, revision: null };
  const revision = createHash('sha256').update(readFileSync(join(folder, url))).digest('hex');
  return { url, revision: revision.slice(0, 16) };
}

export function pageWorker(): Plugin {
  let folder = '';
  return {
    name: 'calendar-page-worker',
    apply: 'build',
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir);
    },
    async closeBundle() {
      const kept = filesOf(folder).map((url) => keptFile(folder, url));
      await build({
        entryPoints: [WORKER],
        outfile: join(folder, WORKER_NAME),
        bundle: true,
        minify: true,
        format: 'iife',
        target: 'es2022',
        define: {
          KEPT_FILES: JSON.stringify(kept),
          'process.env.NODE_ENV': '"production"',
        },
        logLevel: 'warning',
      });
    },
  };
}

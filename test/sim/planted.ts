/**
 * How strong the simulation is, is itself measured: each planted bug is a patch of one place of the
 * sources, and a sweep of the patched build must break a promise within its bound of seeds. A patch
 * that no longer applies is an error.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import type { RunResult } from './seed-run.js';
import type * as Worlds from './worlds.js';
import type { WorldName } from './worlds.js';

export interface PlantedBug {
  readonly name: string;
  /** What the mistake is, and which promise it breaks. */
  readonly what: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Must occur in the file exactly once. */
  readonly find: string;
  readonly put: string;
  /** Where it is hunted. Default: 'node'. */
  readonly world?: WorldName;
}

export interface Catch {
  readonly seed: number;
  readonly violation: string;
}

const root = fileURLToPath(new URL('../../', import.meta.url));

export const SEEDS_TO_CATCH = 200;
/** Where several machines must go wrong together. */
export const CLUSTER_SEEDS_TO_CATCH = 500;

export const seedsToCatch = ({ world = 'node' }: PlantedBug): number =>
  (world === 'node' || world === 'tabs' ? SEEDS_TO_CATCH : CLUSTER_SEEDS_TO_CATCH);

/** The first seed that catches the bug, or undefined if none up to the bound does. */
export async function hunt(bug: PlantedBug, seeds = seedsToCatch(bug)): Promise<Catch | undefined> {
  const runSeed = await load(bug);
  for (let seed = 1; seed <= seeds; seed++) {
    const { violation } = runSeed(seed);
    if (violation !== undefined) return { seed, violation };
  }
  return undefined;
}

async function load(bug: PlantedBug): Promise<(seed: number) => RunResult> {
  const folder = join(root, '.tmp', 'planted');
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, `${bug.name}.mjs`);
  const planting: Planting = { done: false };
  await build({
    entryPoints: [join(root, 'test/sim/worlds.ts')],
    bundle: true, platform: 'node', format: 'esm', outfile, logLevel: 'silent',
    conditions: ['oxbow-source'],
    external: ['lmdb'],
    // CommonJS libraries inside an ES module bundle still call require.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    plugins: [patch(bug, planting)],
  });
  if (!planting.done) throw new Error(`planted bug ${bug.name}: ${bug.file} is not part of the simulation`);
  // reason: the bundle's entry is worlds.ts, whose exports are known.
  const module = (await import(pathToFileURL(outfile).href)) as typeof Worlds;
  return module.runners[bug.world ?? 'node'];
}

interface Planting {
  done: boolean;
}

function patch(bug: PlantedBug, planting: Planting): Plugin {
  return {
    name: 'plant',
    setup(builder) {
      builder.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (path !== join(root, bug.file)) return undefined;
        const source = readFileSync(path, 'utf8');
        if (source.split(bug.find).length !== 2) {
          throw new Error(`planted bug ${bug.name}: its place in ${bug.file} is not there exactly once`);
        }
        planting.done = true;
        return { contents: source.replace(bug.find, () => bug.put), loader: 'ts' };
      });
    },
  };
}

/** Who imports little gets little: nothing of the SDK runs by being imported. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const sdk = fileURLToPath(new URL('../../packages/sdk', import.meta.url));

/** The folders of packages/sdk/src that a page which says this gets code from. */
async function foldersIn(contents: string): Promise<string[]> {
  const { metafile } = await build({
    stdin: { contents, resolveDir: sdk },
    bundle: true, write: false, metafile: true, format: 'esm', platform: 'browser',
    conditions: ['oxbow-source'], external: ['react'], absWorkingDir: sdk, logLevel: 'error',
  });
  const folders = new Set<string>();
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
      const folder = /^src\/(\w+)\//.exec(file)?.[1];
      if (folder !== undefined && bytesInOutput > 0) folders.add(folder);
    }
  }
  return [...folders].sort();
}

test('who opens a replica gets it: this test sees what is there', async () => {
  const folders = await foldersIn("import { openReplica } from '@oxbow/sdk'; console.log(openReplica)");
  expect(folders).toEqual(expect.arrayContaining(['drivers', 'host', 'model', 'protocol', 'replica']));
});

test('who defines an app gets no replica', async () => {
  const folders = await foldersIn("import { defineApp, table } from '@oxbow/sdk'; console.log(defineApp, table)");
  expect(folders).toEqual(['model', 'protocol']);
});

test('the hooks and the collections bring no replica of their own', async () => {
  expect(await foldersIn("export * from '@oxbow/sdk/react'")).toEqual(['model', 'react']);
  expect(await foldersIn("export * from '@oxbow/sdk/tanstack'")).toEqual(['model', 'protocol', 'tanstack']);
});

test('an import for nothing brings nothing', async () => {
  expect(await foldersIn("import '@oxbow/sdk'; import '@oxbow/sdk/react'; import '@oxbow/sdk/tanstack'")).toEqual([]);
});

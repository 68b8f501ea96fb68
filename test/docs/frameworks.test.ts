/** The bindings of docs/frameworks.md, as they stand there, with the real libraries. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { defineApp, memory, mutation, openReplica, table, unchecked, type LiveQuery } from '@oxbow/sdk';
import type * as Solid from 'solid-js';
import type { Readable } from 'svelte/store';
import ts from 'typescript';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type * as Vue from 'vue';

const root = fileURLToPath(new URL('../../', import.meta.url));
let folder: string;

const app = defineApp({
  name: 'rooms', version: 1,
  tables: { booking: table<{ id: string; room: string }>()({ key: 'id', indexes: { byRoom: ['room'] } }) },
  mutations: {
    book: mutation({ args: unchecked<{ id: string; room: string }>(), apply: (tx, a) => tx.booking.put(a) }),
  },
});

const opened = async () => {
  const replica = await openReplica({ app, storage: memory(), offline: true });
  const team = await replica.open('team');
  const lives: LiveQuery<string[]>[] = [];
  return {
    replica,
    book: async (id: string, room: string) => {
      await team.mutate.book({ id, room }).until('saved');
    },
    inRoom: (room: () => string) => {
      const live = team.live((tx) => tx.booking.index('byRoom').get(room()).all().map(({ id }) => id));
      lives.push(live);
      return live;
    },
    /** Of those opened so far: which still answer. */
    stillOpen: () => lives.map((live) => {
      try {
        return Array.isArray(live.get());
      } catch {
        return false;
      }
    }),
  };
};
let here: Awaited<ReturnType<typeof opened>>;

beforeAll(() => {
  mkdirSync(join(root, '.tmp'), { recursive: true });
  folder = mkdtempSync(join(root, '.tmp/frameworks-'));
  const docs = readFileSync(join(root, 'docs/frameworks.md'), 'utf8') + readFileSync(join(root, 'README.md'), 'utf8');
  for (const [, code = ''] of docs.matchAll(/```tsx?\n([\s\S]*?)```/g)) {
    const name = /^\/\/ (\w+\.tsx?)/.exec(code)?.[1];
    if (name !== undefined) writeFileSync(join(folder, name), code);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => { here = await opened(); });
afterEach(() => here.replica.close());

/** The binding and the library that it stands on, in one bundle as a page has them. */
async function loaded<T>(binding: string, library: string): Promise<T> {
  const outfile = join(folder, `${binding}.bundle.js`);
  await build({
    stdin: { contents: `export * from './${binding}.ts'; export * from '${library}';`, resolveDir: folder },
    bundle: true, format: 'esm', platform: 'browser', conditions: ['browser', 'development'],
    define: { 'process.env.NODE_ENV': '"development"' }, outfile, logLevel: 'error',
  });
  // reason: what the two modules export, by their types.
  return await import(/* @vite-ignore */ pathToFileURL(outfile).href) as T;
}

test('the code of the docs has no type errors', () => {
  const files = ['vue.ts', 'svelte.ts', 'solid.ts', 'rooms.tsx', 'main.ts', 'bookings.ts'].map((name) => join(folder, name));
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler, customConditions: ['oxbow-source'],
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts', 'lib.dom.asynciterable.d.ts'],
    strict: true, skipLibCheck: true, noEmit: true, jsx: ts.JsxEmit.ReactJSX, types: ['node'],
  });
  const errors = ts.getPreEmitDiagnostics(program)
    .map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
  expect(errors).toEqual([]);
});

test('Vue shows what is there, follows its props, and closes with its scope', async () => {
  type Binding = typeof Vue & { useLive: <T>(open: () => LiveQuery<T>) => Vue.ShallowRef<T | undefined> };
  const { effectScope, ref, useLive, watch } = await loaded<Binding>('vue', 'vue');
  await here.book('x', 'blue');
  const room = ref('blue');
  const scope = effectScope();
  const bookings = scope.run(() => useLive(() => here.inRoom(() => room.value)));
  expect(bookings?.value).toEqual(['x']);
  const told = vi.fn();
  scope.run(() => bookings && watch(bookings, told, { flush: 'sync' }));
  await here.book('y', 'blue');
  await here.book('z', 'red');
  expect(bookings?.value).toEqual(['x', 'y']);
  expect(told).toHaveBeenCalledTimes(1);
  room.value = 'red';
  expect(bookings?.value).toEqual(['z']);
  expect(here.stillOpen()).toEqual([false, true]);
  scope.stop();
  expect(here.stillOpen()).toEqual([false, false]);
});

test('Svelte opens with its first subscriber and closes with its last', async () => {
  type Binding = { liveStore: <T>(open: () => LiveQuery<T>) => Readable<T | undefined> };
  const { liveStore } = await loaded<Binding>('svelte', 'svelte/store');
  const bookings = liveStore(() => here.inRoom(() => 'blue'));
  expect(here.stillOpen()).toEqual([]);
  const seen: unknown[] = [];
  const stop = bookings.subscribe((now) => seen.push(now));
  await here.book('x', 'blue');
  await here.book('z', 'red');
  expect(seen).toEqual([[], ['x']]);
  const stopOther = bookings.subscribe(() => undefined);
  stop();
  expect(here.stillOpen()).toEqual([true]);
  stopOther();
  expect(here.stillOpen()).toEqual([false]);
});

test('Solid shows what is there, follows its signals, and closes with its owner', async () => {
  type Binding = typeof Solid & { createLive: <T>(open: () => LiveQuery<T>) => Solid.Accessor<T | undefined> };
  const { createLive, createRenderEffect, createRoot, createSignal } = await loaded<Binding>('solid', 'solid-js');
  await here.book('z', 'red');
  const seen: unknown[] = [];
  const [room, setRoom] = createSignal('blue');
  const dispose = createRoot((dispose) => {
    const bookings = createLive(() => here.inRoom(room));
    createRenderEffect(() => seen.push(bookings()));
    return dispose;
  });
  await here.book('x', 'blue');
  expect(seen).toEqual([[], ['x']]);
  setRoom('red');
  expect(seen.at(-1)).toEqual(['z']);
  expect(here.stillOpen()).toEqual([false, true]);
  dispose();
  expect(here.stillOpen()).toEqual([false, false]);
});

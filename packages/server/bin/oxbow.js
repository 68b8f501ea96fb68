#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(main)) {
  await (await import(main)).main(process.argv);
} else {
  console.error('oxbow: this checkout has not been built yet. Run: npm run build');
  process.exitCode = 1;
}

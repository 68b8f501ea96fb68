/**
 * Makes a folder and those above it. Node's own `recursive` never comes back where a parent exists
 * and takes no folders, as under `/proc` (v20.20: it tries the parent again and again).
 */
import * as fs from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Does nothing where it exists. Throws what the system says, such as EACCES or ENOTDIR. */
export function ensureFolder(path: string): void {
  const full = resolve(path);
  if (isFolder(full)) return;
  const parent = dirname(full);
  if (parent !== full) ensureFolder(parent);
  try {
    fs.mkdirSync(full);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!isFolder(full)) throw error;
  }
}

const isFolder = (path: string): boolean =>
  fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

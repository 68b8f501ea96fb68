/** The version of this package, as other nodes and operators are told. */
import { readFileSync } from 'node:fs';

function versionOf(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const value: unknown = JSON.parse(text);
  const version = typeof value === 'object' && value !== null && 'version' in value && value.version;
  return typeof version === 'string' ? version : 'unknown';
}

export const SERVER_VERSION = versionOf();

/** Reads a file that the user named, or says which one could not be read and why. */
import { readFileSync } from 'node:fs';
import { OxbowError } from '@oxbow/sdk/protocol';

/** Errors: `config-invalid`. */
export function mustRead(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new OxbowError('config-invalid', `Cannot read the ${what} file '${path}': ${why}.`, { cause });
  }
}

import { OxbowError } from '@oxbow/sdk/protocol';

/**
 * Where a command finds a node. Clients' addresses are taken too: a node has one port for both.
 * Errors: `config-invalid`.
 */
export function nodeUrl(text: string): string {
  const url = text.replace(/^ws/, 'http');
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url;
  throw new OxbowError(
    'config-invalid', `'${text}' is no address of a node. Give one like http://127.0.0.1:8787.`,
  );
}

/** The app module that `--app` names: the same file that browsers and Node clients load. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AppDefinition } from '@oxbow/sdk/model';
import { OxbowError } from '@oxbow/sdk/protocol';

/** Its default export, or its export `app`. Errors: `app-not-found`, `app-invalid`. */
export async function loadApp(path: string): Promise<AppDefinition> {
  const module = await mustImport(path);
  for (const candidate of [module['default'], module['app']]) {
    if (isApp(candidate)) return candidate;
  }
  const found = Object.entries(module).map(([name, value]) => `${name} (${describe(value)})`);
  throw new OxbowError(
    'app-invalid',
    `Cannot serve '${path}': neither its default export nor its export 'app' is what defineApp ` +
      `returns. It exports: ${found.length === 0 ? 'nothing' : found.join(', ')}.`,
  );
}

async function mustImport(path: string): Promise<Record<string, unknown>> {
  const full = resolve(path);
  if (!existsSync(full)) {
    throw new OxbowError(
      'app-not-found',
      `Cannot find the app module '${path}'. Give the path of a JavaScript module (was it built?).`,
    );
  }
  try {
    // reason: a module namespace is an object with its exports as fields.
    return (await import(pathToFileURL(full).href)) as Record<string, unknown>;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const cure = isTypeScript(path) ? '. Build it first, and give the JavaScript module.' : '';
    throw new OxbowError(
      'app-invalid', `Cannot load the app module '${path}': ${why}${cure}`, { cause },
    );
  }
}

/** Newer versions of Node read some of it, others say no more than that they do not. */
const isTypeScript = (path: string): boolean => /\.[mc]?tsx?$/.test(path);

/** By shape: a bundled app brings its own copy of the SDK, so identity of classes says nothing. */
function isApp(value: unknown): value is AppDefinition {
  return (
    typeof value === 'object' && value !== null &&
    'name' in value && typeof value.name === 'string' &&
    'version' in value && typeof value.version === 'number' &&
    'shapes' in value && value.shapes instanceof Map &&
    'definitions' in value && value.definitions instanceof Map
  );
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value;
  return `object with ${Object.keys(value).slice(0, 5).join(', ') || 'no fields'}`;
}

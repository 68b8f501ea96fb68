/** A space as a file, and back (protocol/bundle.ts): what few pages need, loaded when one does. */
import type { AppDefinition } from '../model/index.js';
import { readBundle, readBundleHeader, writeBundle, type BundleHeader } from '../protocol/bundle.js';
import { OxbowError, type SpaceId, type Summary } from '../protocol/index.js';
import type { SpaceReplica } from '../replica/space.js';

interface Bundled<A extends AppDefinition> {
  readonly id: SpaceId;
  readonly replica: SpaceReplica<A>;
}

/** Errors: `bundle-too-large`, `bundle-unavailable`. */
export const exportBundle = <A extends AppDefinition>(
  { id, replica }: Bundled<A>, base: Summary | undefined,
): Uint8Array => new TextEncoder().encode(writeBundle(id, replica, base));

/** Errors: `bad-bundle`, `bundle-gap`, `bundle-other-space`. */
export function importBundle<A extends AppDefinition>(
  { id, replica }: Bundled<A>, bytes: Uint8Array,
): BundleHeader {
  const text = textOf(bytes);
  const { space } = readBundleHeader(text);
  if (space !== id) {
    throw new OxbowError('bundle-other-space', `The bundle is of space '${space}', this is '${id}'. Open that one.`);
  }
  return readBundle(text, replica);
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new OxbowError('bad-bundle', 'Cannot read the bundle: it is no UTF-8 text. Export it again.', { cause });
  }
}

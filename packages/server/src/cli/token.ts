/**
 * `oxbow token`: a signed token, so that a first try with real authentication needs no identity
 * provider.
 */
import { SignJWT } from 'jose';
import { isSpaceId, OxbowError } from '@oxbow/sdk/protocol';
import { secretKey } from '../drivers/auth.js';
import { mustRead } from './must-read.js';

export interface TokenFlags {
  readonly user: string;
  readonly space: readonly string[];
  readonly secretFile: string;
  readonly expires: string;
  readonly issuer?: string;
  readonly audience?: string;
}

/** Errors: `config-invalid`. */
export async function mintToken(flags: TokenFlags): Promise<string> {
  const key = secretKey(mustRead(flags.secretFile, 'secret').trim());
  const token = new SignJWT({ spaces: Object.fromEntries(flags.space.map(rightOf)) })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(flags.user)
    .setIssuedAt();
  if (flags.issuer !== undefined) token.setIssuer(flags.issuer);
  if (flags.audience !== undefined) token.setAudience(flags.audience);
  try {
    token.setExpirationTime(flags.expires);
  } catch (cause) {
    const message = `Cannot use the time '${flags.expires}': give something like 30m, 12h or 7d.`;
    throw new OxbowError('config-invalid', message, { cause });
  }
  return token.sign(key);
}

function rightOf(text: string): [pattern: string, right: 'r' | 'rw'] {
  const isReadOnly = text.endsWith('=r');
  const pattern = isReadOnly ? text.slice(0, -2) : text;
  if (pattern === '*' || isSpaceId(pattern.replace(/\*$/, ''))) {
    return [pattern, isReadOnly ? 'r' : 'rw'];
  }
  throw new OxbowError('config-invalid', `Cannot use the space '${text}': it is no space's name.`);
}

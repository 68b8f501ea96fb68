/**
 * `oxbow token`: a signed token, so that a first try with real authentication needs no identity
 * provider.
 */
import { SignJWT } from 'jose';
import { isSpaceId, limits, OxbowError } from '@oxbow/sdk/protocol';
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
  checkUser(flags.user);
  if (!LIFETIME.test(flags.expires)) throw badTime(flags.expires);
  const key = secretKey(mustRead(flags.secretFile, 'secret').trim());
  const token = new SignJWT({ spaces: Object.fromEntries(flags.space.map(rightOf)) })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(flags.user)
    .setIssuedAt();
  if (flags.issuer !== undefined) token.setIssuer(flags.issuer);
  if (flags.audience !== undefined) token.setAudience(flags.audience);
  token.setExpirationTime(flags.expires);
  return token.sign(key);
}

/** What `jose` takes, as far as it lies ahead: a token of the past opens nothing. */
const LIFETIME = /^[1-9]\d{0,5} ?(s|m|h|d|w|y|sec|min|hour|day|week|year)s?$/;

const badTime = (given: string): OxbowError => new OxbowError(
  'config-invalid',
  `Cannot use the time '${given}': give how long the token lives, such as 30m, 12h or 7d.`,
);

function checkUser(user: string): void {
  if (user !== '' && user.length <= limits.userCharsMax) return;
  const message = `Cannot use the user '${user}': give a name of 1 to ${limits.userCharsMax} characters.`;
  throw new OxbowError('config-invalid', message);
}

function rightOf(text: string): [pattern: string, right: 'r' | 'rw'] {
  const isReadOnly = text.endsWith('=r');
  const pattern = isReadOnly ? text.slice(0, -2) : text;
  if (pattern === '*' || isSpaceId(pattern.replace(/\*$/, ''))) {
    return [pattern, isReadOnly ? 'r' : 'rw'];
  }
  throw new OxbowError('config-invalid', `Cannot use the space '${text}': it is no space's name.`);
}

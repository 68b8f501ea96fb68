/**
 * Who is at the other end: JSON Web Tokens through `jose` (RFC 7519; RFC 8725 for what to refuse),
 * or a function of the operator's, or development mode. The algorithm is decided by our key, never
 * by the token: that is what `alg: none` and RS256-as-HS256 forgeries live on.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  createLocalJWKSet, createRemoteJWKSet, errors, jwtVerify,
  type JSONWebKeySet, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions,
} from 'jose';
import { limits, OxbowError, type ReplicaId } from '@oxbow/sdk/protocol';
import type { Claims, Refusal } from '../node/effects.js';
import { nodeLimits } from '../node/limits.js';

export interface Verifier {
  /** What an operator should be told, loudly. */
  readonly warnings: readonly string[];
  /** Answers exactly once, in a later turn. */
  verify(
    token: string | undefined,
    replica: ReplicaId,
    done: (result: Claims | Refusal) => void,
  ): void;
}

/** What is asked of a token besides its signature. */
export interface TokenRules {
  /** `iss` must be this. */
  readonly issuer?: string;
  /** `aud` must contain this. */
  readonly audience?: string;
  /** How far clocks may be apart, seconds. Default: 5. */
  readonly clockToleranceS?: number;
}

/**
 * One of: a shared `secret` (HS256, at least 32 bytes), a `publicKey` (PEM; RSA, EC or Ed25519), a
 * key set by file path or URL (`jwks`), a function, or development mode, in which the token
 * `dev:ann` is user ann with every right. A token's claims: `sub` is the user; `spaces` the rights,
 * `["team-42", "cal/*"]` or `{"team-42": "r", "cal/*": "rw"}`; `exp`.
 */
export type AuthOptions =
  | KeyOptions
  | { readonly authorize: Authorize }
  | { readonly devAuth: true };

export type KeyOptions = TokenRules &
  (
    | { readonly secret: string | Uint8Array }
    | { readonly publicKey: string }
    | { readonly jwks: string | URL }
  );

/** Decides instead of a JWT. Undefined or a throw: refused (`token-invalid`). */
export type Authorize = (
  token: string | undefined,
  replica: ReplicaId,
) => Claims | undefined | Promise<Claims | undefined>;

const SECRET_BYTES_MIN = 32;
const TOLERANCE_S = 5;
const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
const ELLIPTIC = ['ES256', 'ES384', 'ES512'];
const EDWARDS = ['EdDSA', 'Ed25519'];

const DEV_WARNING =
  'DEVELOPMENT AUTHENTICATION IS ON: the token dev:NAME makes anyone the user NAME with every right. ' +
  'Never let others reach this server.';

/** Errors: `config-invalid`. */
export function createVerifier(options: AuthOptions): Verifier {
  if ('devAuth' in options) return verifier([DEV_WARNING], devClaims);
  if ('authorize' in options) return verifier([], (...asked) => asAuthorized(options.authorize, asked));
  const check = tokenCheck(options);
  return verifier([], async (token) => {
    if (token === undefined || token === '') return MISSING;
    if (token.length > limits.tokenCharsMax) return invalid('the token is too long');
    try {
      return claimsOf(await check(token));
    } catch (error) {
      return refusalOf(error);
    }
  });
}

type Decide = (
  token: string | undefined,
  replica: ReplicaId,
) => Claims | Refusal | Promise<Claims | Refusal>;

function verifier(warnings: readonly string[], decide: Decide): Verifier {
  return {
    warnings,
    verify(token, replica, done) {
      // An async function: what it throws is a rejection, and its answer comes in a later turn.
      const decided = (async () => decide(token, replica))();
      decided.then(done, (error: unknown) => done(refusalOf(error)));
    },
  };
}

const MISSING: Refusal = {
  code: 'token-missing',
  message: 'Cannot let you in: no token was given. Give `token` to server(url, { token }).',
};

function invalid(why: string): Refusal {
  return { code: 'token-invalid', message: `Cannot let you in: ${why}. Get a new token.` };
}

function devClaims(token: string | undefined): Claims | Refusal {
  if (token === undefined || token === '') return MISSING;
  const user = /^dev:(.+)$/s.exec(token)?.[1];
  if (user === undefined || user.length > limits.userCharsMax) {
    return invalid('this server runs in development mode and takes tokens like dev:ann only');
  }
  return { user, spaces: { '*': 'rw' } };
}

async function asAuthorized(
  authorize: Authorize,
  [token, replica]: Parameters<Decide>,
): Promise<Claims | Refusal> {
  return (await authorize(token, replica)) ?? invalid('the server does not accept this token');
}

type TokenCheck = (token: string) => Promise<JWTPayload>;

function tokenCheck(options: KeyOptions): TokenCheck {
  const rules: JWTVerifyOptions = {
    clockTolerance: options.clockToleranceS ?? TOLERANCE_S,
    ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
    ...(options.audience === undefined ? {} : { audience: options.audience }),
  };
  if ('secret' in options) {
    const key = secretKey(options.secret);
    const expected = { ...rules, algorithms: ['HS256'] };
    return async (token) => (await jwtVerify(token, key, expected)).payload;
  }
  if ('publicKey' in options) {
    const { key, algorithms } = publicKey(options.publicKey);
    return async (token) => (await jwtVerify(token, key, { ...rules, algorithms })).payload;
  }
  const keys = keySet(options.jwks);
  const expected = { ...rules, algorithms: [...RSA, ...ELLIPTIC, ...EDWARDS] };
  return async (token) => (await jwtVerify(token, keys, expected)).payload;
}

export function secretKey(secret: string | Uint8Array): Uint8Array {
  const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : secret;
  if (bytes.length >= SECRET_BYTES_MIN) return bytes;
  throw new OxbowError(
    'config-invalid',
    `Cannot use the JWT secret: it has ${bytes.length} bytes, ${SECRET_BYTES_MIN} are needed. ` +
      `Make one with: openssl rand -base64 48`,
  );
}

function publicKey(pem: string): { key: KeyObject; algorithms: string[] } {
  try {
    const key = createPublicKey(pem);
    switch (key.asymmetricKeyType) {
      case 'rsa':
        return { key, algorithms: RSA };
      case 'ec':
        return { key, algorithms: ELLIPTIC };
      case 'ed25519':
        return { key, algorithms: EDWARDS };
      default:
        throw new Error(`keys of type ${String(key.asymmetricKeyType)} are not supported`);
    }
  } catch (error) {
    throw badConfig('public key', error, 'Give a PEM file with an RSA, EC or Ed25519 public key.');
  }
}

function keySet(source: string | URL): JWTVerifyGetKey {
  try {
    if (source instanceof URL || /^https?:/.test(source)) {
      const url = new URL(source);
      if (url.protocol === 'https:' || isLoopback(url)) return createRemoteJWKSet(url);
      throw new Error('plain http lets anyone on the way replace the keys');
    }
    // reason: createLocalJWKSet checks the shape and throws.
    return createLocalJWKSet(JSON.parse(readFileSync(source, 'utf8')) as JSONWebKeySet);
  } catch (error) {
    throw badConfig(`key set '${String(source)}'`, error, 'Give a JWKS file or an https address.');
  }
}

function isLoopback(url: URL): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
}

function badConfig(what: string, cause: unknown, cure: string): OxbowError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new OxbowError('config-invalid', `Cannot use the ${what}: ${why}. ${cure}`, { cause });
}

/** Of a token whose signature holds. */
function claimsOf(payload: JWTPayload): Claims | Refusal {
  const { sub, exp } = payload;
  if (typeof sub !== 'string' || sub === '' || sub.length > limits.userCharsMax) {
    return invalid('the token has no usable `sub` claim, which names the user');
  }
  const spaces = rightsOf(payload['spaces']);
  if (spaces === undefined) {
    return invalid('the token has no usable `spaces` claim, like ["team-42"] or {"cal/*": "rw"}');
  }
  return { user: sub, spaces, ...(exp === undefined ? {} : { expiresAtMs: exp * 1_000 }) };
}

function rightsOf(claim: unknown): Claims['spaces'] | undefined {
  if (typeof claim !== 'object' || claim === null) return undefined;
  const pairs: [unknown, unknown][] = Array.isArray(claim)
    ? claim.map((pattern: unknown) => [pattern, 'rw'])
    : Object.entries(claim);
  if (pairs.length > nodeLimits.claimPatternsMax) return undefined;
  const rights = new Map<string, 'r' | 'rw'>();
  for (const [pattern, right] of pairs) {
    if (typeof pattern !== 'string' || pattern.length > limits.spaceCharsMax) return undefined;
    if (right !== 'r' && right !== 'rw') return undefined;
    rights.set(pattern, right);
  }
  return Object.fromEntries(rights);
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof errors.JWTExpired) {
    return {
      code: 'token-expired',
      message: 'Cannot let you in: the token has expired. Get a new token.',
    };
  }
  // jose's sentences name the check that failed, never the token's contents.
  if (error instanceof errors.JOSEError) return invalid(`the token is not valid (${error.code})`);
  return invalid('the token could not be checked');
}

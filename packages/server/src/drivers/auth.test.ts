import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReplicaId } from '@oxbow/sdk/protocol';
import type { Claims, Refusal } from '../node/effects.js';
import { createVerifier, type AuthOptions } from './auth.js';

const SECRET = 'a secret of more than thirty-two bytes, for tests';
const replica = 'r' as ReplicaId;
const nowS = (): number => Math.floor(Date.now() / 1_000);

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oxbow-auth-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a shared secret', () => {
  test('lets a good token in, with its user, rights and end', async () => {
    const exp = nowS() + 60;
    const token = await signed({ sub: 'ann', spaces: ['team-42', 'cal/*'], exp });
    expect(await verify({ secret: SECRET }, token)).toEqual({
      user: 'ann', spaces: { 'team-42': 'rw', 'cal/*': 'rw' }, expiresAtMs: exp * 1_000,
    });
  });

  test('takes rights one by one, and tokens without an end', async () => {
    const token = await signed({ sub: 'ann', spaces: { 'team-42': 'r', 'cal/*': 'rw' } });
    expect(await verify({ secret: SECRET }, token)).toEqual({
      user: 'ann', spaces: { 'team-42': 'r', 'cal/*': 'rw' },
    });
  });

  test('says which of missing, expired and invalid a token is', async () => {
    const good = { sub: 'ann', spaces: ['*'] };
    const cases: [string | undefined, string][] = [
      [undefined, 'token-missing'],
      ['', 'token-missing'],
      [await signed({ ...good, exp: nowS() - 60 }), 'token-expired'],
      [await signed({ ...good, nbf: nowS() + 60 }), 'token-invalid'],
      [await signed(good, 'another secret of more than thirty-two bytes!!'), 'token-invalid'],
      ['no token at all', 'token-invalid'],
      ['a.b.c', 'token-invalid'],
      ['x'.repeat(100_000), 'token-invalid'],
    ];
    for (const [token, code] of cases) {
      expect(await verify({ secret: SECRET }, token)).toMatchObject({ code });
    }
  });

  test('refuses an unsigned token, and one that was changed after signing', async () => {
    const claims = { sub: 'ann', spaces: ['*'] };
    const none = `${part({ alg: 'none' })}.${part(claims)}.`;
    expect(await verify({ secret: SECRET }, none)).toMatchObject({ code: 'token-invalid' });
    const [head, , signature] = (await signed(claims)).split('.');
    const forged = `${head ?? ''}.${part({ ...claims, sub: 'bob' })}.${signature ?? ''}`;
    expect(await verify({ secret: SECRET }, forged)).toMatchObject({ code: 'token-invalid' });
  });

  test('refuses a token without usable claims, however well signed', async () => {
    const odd: Record<string, unknown>[] = [
      { spaces: ['*'] },
      { sub: '', spaces: ['*'] },
      { sub: 'x'.repeat(10_000), spaces: ['*'] },
      { sub: 'ann' },
      { sub: 'ann', spaces: 'team-42' },
      { sub: 'ann', spaces: [7] },
      { sub: 'ann', spaces: { 'team-42': 'admin' } },
      { sub: 'ann', spaces: ['x'.repeat(5_000)] },
      { sub: 'ann', spaces: Array.from({ length: 2_000 }, (_, index) => `team-${index}`) },
    ];
    for (const claims of odd) {
      expect(await verify({ secret: SECRET }, await signed(claims))).toMatchObject({ code: 'token-invalid' });
    }
  });

  test('holds to issuer, audience and the clocks\' tolerance', async () => {
    const options = { secret: SECRET, issuer: 'us', audience: 'oxbow', clockToleranceS: 30 };
    const good = { sub: 'ann', spaces: ['*'], iss: 'us', aud: 'oxbow', exp: nowS() - 10 };
    expect(await verify(options, await signed(good))).toMatchObject({ user: 'ann' });
    for (const change of [{ iss: 'them' }, { aud: 'other' }, { iss: undefined }]) {
      const token = await signed({ ...good, ...change });
      expect(await verify(options, token)).toMatchObject({ code: 'token-invalid' });
    }
  });

  test('a refusal never repeats the token', async () => {
    const token = await signed({ sub: 'ann', spaces: ['*'] }, 'another secret of more than thirty-two bytes!!');
    const refusal = await verify({ secret: SECRET }, token);
    expect(JSON.stringify(refusal)).not.toContain(token.split('.')[1]);
  });

  test('that is too short is refused when the server is made', () => {
    expect(() => createVerifier({ secret: 'short' })).toThrow(
      expect.objectContaining({ code: 'config-invalid' }),
    );
  });
});

describe('a public key', () => {
  const pairs: [string, string, { publicKey: KeyObject; privateKey: KeyObject }][] = [
    ['RSA', 'RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['EC', 'ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['Ed25519', 'EdDSA', generateKeyPairSync('ed25519')],
  ];
  for (const [name, alg, { publicKey, privateKey }] of pairs) {
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const token = (): Promise<string> =>
      new SignJWT({ spaces: ['*'] }).setProtectedHeader({ alg }).setSubject('ann').sign(privateKey);

    test(`of type ${name} verifies its own tokens and no others`, async () => {
      expect(await verify({ publicKey: pem }, await token())).toMatchObject({ user: 'ann' });
      const forged = hmac({ sub: 'ann', spaces: ['*'] }, pem);
      expect(await verify({ publicKey: pem }, forged)).toMatchObject({ code: 'token-invalid' });
    });

    test(`of type ${name} is found in a key set file and at an address`, async () => {
      const keys = JSON.stringify({ keys: [await exportJWK(publicKey)] });
      const file = join(folder, 'keys.json');
      writeFileSync(file, keys);
      expect(await verify({ jwks: file }, await token())).toMatchObject({ user: 'ann' });
      const web = createServer((_request, response) => response.end(keys));
      await new Promise<void>((done) => web.listen(0, '127.0.0.1', done));
      const address = web.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      expect(await verify({ jwks: `http://127.0.0.1:${port}/keys` }, await token())).toMatchObject({ user: 'ann' });
      web.close();
    });
  }

  test('that is none, or a key set over plain http, is refused when the server is made', () => {
    const unusable: AuthOptions[] = [
      { publicKey: 'not a key' },
      { jwks: '/nowhere/keys.json' },
      { jwks: 'http://example.com/keys' },
    ];
    for (const options of unusable) {
      expect(() => createVerifier(options)).toThrow(expect.objectContaining({ code: 'config-invalid' }));
    }
  });
});

test('development mode takes dev:ann for ann with every right, nothing else, and warns', async () => {
  expect(createVerifier({ devAuth: true }).warnings.join()).toContain('DEVELOPMENT');
  expect(await verify({ devAuth: true }, 'dev:ann')).toEqual({ user: 'ann', spaces: { '*': 'rw' } });
  expect(await verify({ devAuth: true }, undefined)).toMatchObject({ code: 'token-missing' });
  for (const token of ['ann', 'dev:', `dev:${'x'.repeat(10_000)}`]) {
    expect(await verify({ devAuth: true }, token)).toMatchObject({ code: 'token-invalid' });
  }
});

test('a function decides instead; nothing and a throw are refusals', async () => {
  const claims: Claims = { user: 'ann', spaces: { 'team-42': 'r' } };
  expect(await verify({ authorize: () => claims }, 'x')).toEqual(claims);
  expect(await verify({ authorize: () => Promise.resolve(claims) }, undefined)).toEqual(claims);
  expect(await verify({ authorize: () => undefined }, 'x')).toMatchObject({ code: 'token-invalid' });
  const failing = () => { throw new Error('database password is 1234'); };
  const refusal = await verify({ authorize: failing }, 'x');
  expect(refusal).toMatchObject({ code: 'token-invalid' });
  expect(JSON.stringify(refusal)).not.toContain('1234');
});

test('an answer never comes in the turn of the question', () => {
  let isAnswered = false;
  createVerifier({ devAuth: true }).verify('dev:ann', replica, () => (isAnswered = true));
  expect(isAnswered).toBe(false);
});

function verify(options: AuthOptions, token: string | undefined): Promise<Claims | Refusal> {
  return new Promise((done) => createVerifier(options).verify(token, replica, done));
}

function signed(claims: Record<string, unknown>, secret = SECRET): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret));
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** The classic forgery: the public key, which everyone knows, used as an HMAC secret. */
function hmac(claims: unknown, secret: string): string {
  const text = `${part({ alg: 'HS256' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

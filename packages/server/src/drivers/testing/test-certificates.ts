/**
 * Certificates for tests, made on the spot: X.509 v3 in DER (RFC 5280), P-256 keys. Files in the
 * repository would run out one day, and `openssl` is not on every machine.
 */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

export class TestAuthority {
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #name: string;

  constructor(name = 'test authority') {
    this.#name = name;
  }

  get ca(): string {
    return this.#pem(this.#name, this.#keys.publicKey, [extension('551d13', true, sequence(boolean))]);
  }

  /** For `commonName`, with DNS names unless there are none. */
  issue(commonName: string, dnsNames: readonly string[] = [commonName]): TestCertificate {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const names = sequence(...dnsNames.map((name) => der(0x82, Buffer.from(name))));
    const extensions = dnsNames.length === 0 ? [] : [extension('551d11', false, names)];
    return {
      cert: this.#pem(commonName, publicKey, extensions),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
  }

  #pem(subject: string, key: KeyObject, extensions: Buffer[]): string {
    const body = sequence(
      der(0xa0, der(0x02, Buffer.from([2]))),
      der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
      ecdsaSha256,
      nameOf(this.#name),
      sequence(der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('491231235959Z'))),
      nameOf(subject),
      key.export({ type: 'spki', format: 'der' }),
      ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
    );
    const signature = sign('sha256', body, this.#keys.privateKey);
    const whole = sequence(body, ecdsaSha256, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
    const lines = whole.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
    return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  }
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

const sequence = (...parts: Buffer[]): Buffer => der(0x30, Buffer.concat(parts));
const objectId = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const boolean = der(0x01, Buffer.from([0xff]));
const ecdsaSha256 = sequence(objectId('2a8648ce3d040302'));

function nameOf(commonName: string): Buffer {
  return sequence(der(0x31, sequence(objectId('550403'), der(0x0c, Buffer.from(commonName)))));
}

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  return sequence(objectId(id), ...(isCritical ? [boolean] : []), der(0x04, value));
}

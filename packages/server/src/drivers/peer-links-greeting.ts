/**
 * How two nodes prove to each other who they are, before anything else is said: hello, challenge,
 * proof, verdict.
 *
 * With a cluster secret each side answers the other's nonce with an HMAC-SHA256 over both
 * greetings, so names, runs, channel and direction are part of what is proven, and a recorded or
 * reflected answer proves nothing. The side that dialled proves itself first: who only knocks
 * learns nothing that depends on the secret. With certificates TLS has proven a key by then; what
 * remains is that it was certified for the name. Krawczyk, "SIGMA", 2003, is why both identities
 * stand under each MAC.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { peerChannels, type PeerChannel } from '../cluster/peer-link.js';
import { isNodeName } from '../cluster/node-name.js';
import { frameKind } from './peer-links-frame.js';

/** One: the first. A node of another version is told so and not misread. */
export const PEER_PROTOCOL = 1;
const HEX = /^[0-9a-f]{32,64}$/;

export type PeerProof =
  | { readonly kind: 'secret'; readonly key: Buffer }
  /** `certifies`: whether the certificate that TLS has checked was issued for this name. */
  | { readonly kind: 'certificate'; certifies(name: string): boolean };

export interface Greeter {
  readonly name: string;
  /** Random, of this run of this process. */
  readonly run: string;
  readonly proof: PeerProof;
  makeNonce(): string;
}

export interface Proven {
  readonly name: string;
  readonly run: string;
  readonly channel: PeerChannel;
}

export interface Problem {
  readonly code: string;
  readonly message: string;
}

export interface GreetingEffects {
  send(kind: number, payload: Buffer): void;
  proven(peer: Proven): void;
  /** The link must end once what was sent is out. */
  failed(problem: Problem): void;
}

export interface Dial {
  readonly name: string;
  readonly channel: PeerChannel;
}

interface Hello extends Proven {
  readonly to: string;
}

export class Greeting {
  readonly #me: Greeter;
  readonly #dial: Dial | undefined;
  readonly #out: GreetingEffects;
  #awaits: number;
  #hello: Buffer = Buffer.alloc(0);
  #challenge: Buffer = Buffer.alloc(0);
  #peer: Proven | undefined;

  /** `dial`: whom we called; undefined: we were called. */
  constructor(me: Greeter, dial: Dial | undefined, out: GreetingEffects) {
    this.#me = me;
    this.#dial = dial;
    this.#out = out;
    this.#awaits = dial === undefined ? frameKind.hello : frameKind.challenge;
  }

  start(): void {
    if (this.#dial === undefined) return;
    const { name: to, channel } = this.#dial;
    const { name: from, run } = this.#me;
    this.#hello = this.#say(frameKind.hello, {
      oxbow: PEER_PROTOCOL, from, to, run, channel, nonce: this.#me.makeNonce(),
    });
  }

  /** A frame while nobody is proven. */
  frame(kind: number, payload: Buffer): void {
    const fields = parse(payload);
    if (kind === frameKind.verdict && typeof fields['code'] === 'string') {
      const message = typeof fields['message'] === 'string' ? fields['message'] : '';
      this.#out.failed({ code: told(fields['code']), message: printable(message) });
      return;
    }
    if (kind !== this.#awaits) {
      this.#refuse({ code: 'bad-frame', message: 'Something else was said than the greeting asks for.' });
      return;
    }
    switch (kind) {
      case frameKind.hello: return this.#onHello(payload, fields);
      case frameKind.challenge: return this.#onChallenge(payload, fields);
      case frameKind.proof: return this.#onProof(fields);
      default: return this.#onVerdict(fields);
    }
  }

  #onHello(payload: Buffer, fields: Fields): void {
    const hello = helloOf(fields);
    if ('code' in hello) return this.#refuse(hello);
    const { name } = this.#me;
    if (hello.to !== name) return this.#refuse(misnamed(hello.to, name));
    if (hello.name === name) return this.#refuse(nameTaken(name));
    this.#peer = hello;
    // A copy: the bytes are part of a chunk that would be kept alive.
    this.#hello = Buffer.from(payload);
    this.#challenge = this.#say(frameKind.challenge, {
      oxbow: PEER_PROTOCOL, from: name, run: this.#me.run, nonce: this.#me.makeNonce(),
    });
    this.#awaits = frameKind.proof;
  }

  #onChallenge(payload: Buffer, fields: Fields): void {
    const { oxbow, from, run, nonce } = fields;
    const dial = this.#dial;
    if (oxbow !== PEER_PROTOCOL) return this.#refuse(otherVersion(oxbow));
    if (dial === undefined || !isNodeName(from) || !isHex(run) || !isHex(nonce)) {
      return this.#refuse(malformed);
    }
    if (from !== dial.name) return this.#refuse(misnamed(dial.name, from));
    this.#peer = { name: from, run, channel: dial.channel };
    this.#challenge = Buffer.from(payload);
    this.#say(frameKind.proof, this.#proofOf('dialler'));
    this.#awaits = frameKind.verdict;
  }

  #onProof(fields: Fields): void {
    const peer = this.#peer;
    if (peer === undefined || !this.#isProven(peer, 'dialler', fields)) return this.#refuse(this.#unproven());
    this.#say(frameKind.verdict, this.#proofOf('called'));
    this.#out.proven(peer);
  }

  #onVerdict(fields: Fields): void {
    const peer = this.#peer;
    if (peer === undefined || !this.#isProven(peer, 'called', fields)) return this.#refuse(this.#unproven());
    this.#out.proven(peer);
  }

  #isProven({ name }: Proven, role: Role, { mac }: Fields): boolean {
    const { proof } = this.#me;
    if (proof.kind === 'certificate') return proof.certifies(name);
    if (!isHex(mac)) return false;
    const expected = this.#mac(proof.key, role);
    const given = Buffer.from(mac, 'hex');
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  #proofOf(role: Role): Fields {
    const { proof } = this.#me;
    return proof.kind === 'secret' ? { mac: this.#mac(proof.key, role).toString('hex') } : {};
  }

  #mac(key: Buffer, role: Role): Buffer {
    const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
    return createHmac('sha256', key)
      .update(`oxbow peer ${role}\0`)
      .update(sha256(this.#hello))
      .update(sha256(this.#challenge))
      .digest();
  }

  #unproven(): Problem {
    const message = this.#me.proof.kind === 'secret'
      ? 'The other side does not know this cluster\'s secret. Give all nodes the same secret file.'
      : 'The other side\'s certificate was not issued for the name that it gives: the node\'s name ' +
        'must stand among its alternative names (DNS), or be its common name if it has none.';
    return { code: 'peer-unproven', message };
  }

  #say(kind: number, fields: Fields): Buffer {
    const payload = Buffer.from(JSON.stringify(fields));
    this.#out.send(kind, payload);
    return payload;
  }

  #refuse(problem: Problem): void {
    this.#say(frameKind.verdict, { ...problem });
    this.#out.failed(problem);
  }
}

type Role = 'dialler' | 'called';
type Fields = Readonly<Record<string, unknown>>;

const malformed: Problem = { code: 'bad-frame', message: 'The greeting is not well-formed.' };

function otherVersion(found: unknown): Problem {
  const spoken = typeof found === 'number' ? found : 'none';
  return {
    code: 'protocol-version',
    message: `Nodes must speak protocol ${PEER_PROTOCOL}; the other side speaks ${spoken}. Update the older one.`,
  };
}

export function misnamed(wanted: string, found: string): Problem {
  return {
    code: 'peer-misnamed',
    message: `'${wanted}' was dialled and '${found}' answered: correct the address or the name in the cluster's list.`,
  };
}

export function nameTaken(name: string): Problem {
  return {
    code: 'peer-name-taken',
    message: `Another process runs under the name '${name}': give each node its own --node.`,
  };
}

const isHex = (value: unknown): value is string => typeof value === 'string' && HEX.test(value);

function helloOf({ oxbow, from, to, run, channel, nonce }: Fields): Hello | Problem {
  if (oxbow !== PEER_PROTOCOL) return otherVersion(oxbow);
  const known = peerChannels.find((name) => name === channel);
  const isSound = isNodeName(from) && isNodeName(to) && isHex(run) && isHex(nonce);
  if (known === undefined || !isSound) return malformed;
  return { name: from, to, run, channel: known };
}

/** Whatever the bytes are, fields come out. */
function parse(payload: Buffer): Fields {
  try {
    const value: unknown = JSON.parse(payload.toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    // No JSON: it has no fields, and is refused as such.
    return {};
  }
}

/** A code that comes from outside must not become any text in our logs. */
const told = (code: string): string => (/^[a-z-]{1,40}$/.test(code) ? code : 'bad-frame');
const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 300);

/**
 * Effects written down for tests of machines: what was asked for, in order, and what is still owed
 * an answer.
 */
import { decodeMessage, type Message, type OxbowError, type SpaceId } from '../../protocol/index.js';
import type { LinkId, PersistOp, ReplicaEffects, Token } from '../effects.js';

export type Asked =
  | { readonly kind: 'askToken'; readonly transport: number; readonly ask: Token }
  | {
      readonly kind: 'connect'; readonly transport: number; readonly link: LinkId;
      readonly address: string | undefined;
    }
  | { readonly kind: 'send'; readonly link: LinkId; readonly message: Message }
  | { readonly kind: 'cut'; readonly link: LinkId; readonly reason: string }
  | { readonly kind: 'persist'; readonly ops: readonly PersistOp[]; readonly token: Token }
  | { readonly kind: 'report'; readonly error: OxbowError };

export class Recorder implements ReplicaEffects {
  #asked: Asked[] = [];
  wakeAtMs: number | undefined;
  flushAsked = false;
  /** Spaces of which the replica alone has something. */
  readonly unsyncedIn = new Set<SpaceId>();

  askToken(transport: number, ask: Token): void {
    this.#asked.push({ kind: 'askToken', transport, ask });
  }

  connect(transport: number, link: LinkId, address: string | undefined): void {
    this.#asked.push({ kind: 'connect', transport, link, address });
  }

  send(link: LinkId, frame: string): void {
    this.#asked.push({ kind: 'send', link, message: decodeMessage(frame) });
  }

  cut(link: LinkId, reason: string): void {
    this.#asked.push({ kind: 'cut', link, reason });
  }

  persist(ops: readonly PersistOp[], token: Token): void {
    this.#asked.push({ kind: 'persist', ops, token });
  }

  wakeAt(atMs: number): void {
    this.wakeAtMs = atMs;
  }

  flushSoon(): void {
    this.flushAsked = true;
  }

  unsynced(space: SpaceId, hasUnsynced: boolean): void {
    if (hasUnsynced) this.unsyncedIn.add(space);
    else this.unsyncedIn.delete(space);
  }

  report(error: OxbowError): void {
    this.#asked.push({ kind: 'report', error });
  }

  /** Everything asked for since the last call. */
  take(): Asked[] {
    const asked = this.#asked;
    this.#asked = [];
    return asked;
  }

  /** The one effect of that kind since the last call; the others are dropped. */
  takeOne<K extends Asked['kind']>(kind: K): Extract<Asked, { readonly kind: K }> {
    const all = this.take();
    const found = all.filter((one): one is Extract<Asked, { readonly kind: K }> => one.kind === kind);
    const [only] = found;
    if (only === undefined || found.length > 1) {
      throw new Error(`Expected one '${kind}', got ${JSON.stringify(all)}`);
    }
    return only;
  }
}

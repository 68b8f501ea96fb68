/**
 * The sessions of a replica: one per transport and replica id in use. There is one id, unless a
 * space needed another.
 */
import type { ReplicaId } from '../protocol/index.js';
import type { LinkId, ReplicaEffects } from './effects.js';
import { Session, type LinkHealth, type SessionOwner, type Way } from './session.js';

export interface SessionPoolConfig {
  readonly transports: readonly Way[];
  readonly app: { readonly name: string; readonly version: number };
  readonly out: ReplicaEffects;
  readonly owner: SessionOwner;
  readonly random: () => number;
  readonly nextNumber: () => number;
}

export class SessionPool {
  readonly #config: SessionPoolConfig;
  #sessions: Session[] = [];
  #isOnline = false;
  /** Which transports are used at present. */
  #isUsed: (transport: number) => boolean = () => true;

  constructor(config: SessionPoolConfig) {
    this.#config = config;
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  get all(): readonly Session[] {
    return this.#sessions;
  }

  get deadlineMs(): number {
    let next = Infinity;
    for (const { deadlineMs = Infinity } of this.#sessions) next = Math.min(next, deadlineMs);
    return next;
  }

  health(of?: ReplicaId): readonly LinkHealth[] {
    const sessions = this.#sessions.filter(({ replica }) => of === undefined || replica === of);
    return sessions.map(({ health }) => health);
  }

  byLink(link: LinkId): Session | undefined {
    return this.#sessions.find((session) => session.link === link);
  }

  goOnline(now: number): void {
    this.#isOnline = true;
    this.hurry(now);
  }

  goOffline(): void {
    this.#isOnline = false;
    for (const session of this.#sessions) session.goOffline();
  }

  hurry(now: number): void {
    if (this.#isOnline) for (const session of this.#sessions) session.hurry(now);
  }

  tick(now: number): void {
    for (const session of this.#sessions) session.tick(now);
  }

  ensure(replica: ReplicaId, now: number): void {
    const { transports, ...config } = this.#config;
    transports.forEach((way, transport) => {
      const isThis = (one: Session): boolean =>
        one.replica === replica && one.transport === transport;
      if (!this.#isUsed(transport) || this.#sessions.some(isThis)) return;
      const session = new Session({ ...config, way, transport, replica });
      this.#sessions = [...this.#sessions, session];
      if (this.#isOnline) session.hurry(now);
    });
  }

  /** Ends the links over all other transports; those that are used now come with `ensure`. */
  use(isUsed: (transport: number) => boolean): void {
    this.#isUsed = isUsed;
    for (const session of this.#sessions) if (!isUsed(session.transport)) session.goOffline();
    this.#sessions = this.#sessions.filter(({ transport }) => isUsed(transport));
  }

  /** Ends those of ids that nothing is written under any more. */
  keepOnly(used: ReadonlySet<ReplicaId>): void {
    for (const session of this.#sessions) if (!used.has(session.replica)) session.goOffline();
    this.#sessions = this.#sessions.filter(({ replica }) => used.has(replica));
  }
}

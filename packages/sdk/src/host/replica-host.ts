/**
 * The only loop of a replica: carries out what the machine asks for and brings back what came of it. It decides nothing and
 * touches no global: storage, links, time and chance are given, so the simulation runs this very file.
 */
import type { App } from '../model/index.js';
import type { Clock, Entropy } from '../drivers/clock.js';
import type { Done, Storage } from '../drivers/storage.js';
import type { Transport } from '../drivers/transport.js';
import type { OxbowError } from '../protocol/index.js';
import type { ReplicaMachine } from '../replica/machine.js';
import type { SpaceReplica } from '../replica/space.js';

export interface HostConfig {
  readonly app: App;
  readonly storage: Storage;
  readonly transports: readonly Transport[];
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly dev: boolean;
  /** Who the app says that the user is; counts until a server has verified one. */
  readonly user?: string | null;
  /** Go on in memory when the store cannot be opened (`store-unavailable`) or is lost. Default: true. */
  readonly fallbackToMemory?: boolean;
  /** Start without connecting. Default: false. */
  readonly offline?: boolean;
  readonly onReport?: (error: OxbowError) => void;
}

export interface Host {
  /** Opens the store, finds or makes the identity, goes online. Errors: `store-in-use`, `store-newer`, `store-unavailable`. */
  start(done: Done<void>): void;
  /** The same space always gives the same object. */
  open(space: string, done: Done<SpaceReplica>): void;
  /** After `start`. Local calls go straight to it and to its spaces; effects follow by themselves. */
  readonly machine: ReplicaMachine;
  goOffline(): void;
  goOnline(): void;
  hurry(): void;
  /** Saves what is unsaved, ends links, closes the store. */
  close(done: Done<void>): void;
}

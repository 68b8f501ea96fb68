/**
 * The simulated network between clients and the server: links of frames with delay, and per seed some of: loss,
 * duplication, reordering, sudden cuts, and holes in which a link stays open while everything in it vanishes.
 */
import type { LinkEvents, Transport } from '../../packages/sdk/src/drivers/transport.js';
import type { Random } from './random.js';
import type { Process, World } from './world.js';

export interface NetworkFaults {
  readonly meanMs: number;
  readonly loss: number;
  readonly duplication: number;
  readonly reordering: number;
  /** Mean life of a link, ms; 0: links are never cut. */
  readonly cutEveryMs: number;
  /** Probability that a link has a hole at some time in its life. */
  readonly holes: number;
}

export const QUIET_NETWORK: NetworkFaults = {
  meanMs: 5, loss: 0, duplication: 0, reordering: 0, cutEveryMs: 0, holes: 0,
};

/** The server's side of one link. */
export interface AcceptedLink {
  send(frame: string): void;
  close(): void;
}
export interface Acceptor {
  /** A client has connected. The returned functions are told what happens on the link. */
  accept(link: AcceptedLink): { received(frame: string): void; closed(code: string): void };
}

interface End {
  received(frame: string): void;
  closed(reason: string): void;
  process: Process;
  /** Virtual time of the last delivery: frames keep their order unless a fault says otherwise. */
  lastAt: number;
}

export class Network {
  faults: NetworkFaults;
  readonly #world: World;
  readonly #random: Random;
  readonly #server: Process;
  readonly #wires = new Set<Wire>();
  #acceptor: Acceptor | undefined;
  readonly #partitioned = new Set<string>();

  constructor(world: World, server: Process, options: { random: Random; faults: NetworkFaults }) {
    this.#world = world;
    this.#server = server;
    this.#random = options.random;
    this.faults = options.faults;
  }

  /** The server listens; undefined: it does not. */
  listen(acceptor: Acceptor | undefined): void {
    this.#acceptor = acceptor;
    if (acceptor === undefined) this.cutWhere(() => true, 'server gone');
  }

  /** While partitioned a client's connects fail and its links are holes. */
  partition(client: string, on: boolean): void {
    if (on) this.#partitioned.add(client);
    else this.#partitioned.delete(client);
    this.#world.trace(`network ${on ? 'loses' : 'finds'} ${client}`);
  }

  cutWhere(which: (client: string) => boolean, reason: string): void {
    for (const wire of [...this.#wires]) if (which(wire.client)) wire.cut(reason);
  }

  transport(client: Process): Transport {
    return {
      name: 'server',
      connect: (events) => this.#connect(client, events),
      token: (done) => this.#world.soon(client.bound(() => done(`dev:${userOf(client)}`))),
    };
  }

  #connect(client: Process, events: LinkEvents): () => void {
    let wire: Wire | undefined;
    let abandoned = false;
    this.#world.after(this.delayMs(), client.bound(() => {
      if (abandoned) return;
      const acceptor = this.#acceptor;
      if (acceptor === undefined || !this.#server.isAlive || this.#partitioned.has(client.name)) {
        events.closed('unreachable');
        return;
      }
      wire = new Wire(this, { world: this.#world, random: this.#random, client, server: this.#server });
      this.#wires.add(wire);
      wire.begin(acceptor, events);
    }));
    return () => {
      abandoned = true;
      wire?.cut('abandoned');
    };
  }

  delayMs(): number {
    return 0.2 + this.#random.exponential(this.faults.meanMs);
  }

  isHole(client: string): boolean {
    return this.#partitioned.has(client);
  }

  forget(wire: Wire): void {
    this.#wires.delete(wire);
  }
}

interface WireParts {
  readonly world: World;
  readonly random: Random;
  readonly client: Process;
  readonly server: Process;
}

class Wire {
  readonly client: string;
  readonly #network: Network;
  readonly #parts: WireParts;
  #clientEnd: End | undefined;
  #serverEnd: End | undefined;
  #open = true;
  #hole = false;

  constructor(network: Network, parts: WireParts) {
    this.#network = network;
    this.#parts = parts;
    this.client = parts.client.name;
  }

  begin(acceptor: Acceptor, events: LinkEvents): void {
    const { client, server, world, random } = this.#parts;
    const toClient = (frame: string): void => this.#send(frame, this.#clientEnd);
    const toServer = (frame: string): void => this.#send(frame, this.#serverEnd);
    const serverSide = acceptor.accept({ send: toClient, close: () => this.cut('closed by server') });
    this.#serverEnd = {
      received: server.bound((frame: string) => serverSide.received(frame)),
      closed: server.bound(() => serverSide.closed('cut')),
      process: server, lastAt: 0,
    };
    this.#clientEnd = {
      received: client.bound((frame: string) => events.received(frame)),
      closed: client.bound((reason: string) => events.closed(reason)),
      process: client, lastAt: 0,
    };
    events.opened({ send: toServer, close: () => this.cut('closed by client') });
    const { faults } = this.#network;
    if (faults.cutEveryMs > 0) {
      world.after(random.exponential(faults.cutEveryMs), () => this.cut('cut'));
    }
    if (random.chance(faults.holes)) {
      world.after(random.exponential(2000), () => {
        this.#hole = true;
      });
    }
  }

  cut(reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#network.forget(this);
    this.#parts.world.trace(`${this.client} link ends: ${reason}`);
    for (const end of [this.#clientEnd, this.#serverEnd]) {
      if (end === undefined) continue;
      this.#parts.world.after(this.#network.delayMs(), () => end.closed(reason));
    }
  }

  #send(frame: string, to: End | undefined): void {
    if (!this.#open || to === undefined) return;
    const { random, world } = this.#parts;
    const { faults } = this.#network;
    world.trace(`${to.process.name} <- ${this.client} ${frame}`);
    if (this.#hole || this.#network.isHole(this.client)) return;
    if (random.chance(faults.loss)) return;
    this.#deliver(frame, to);
    if (random.chance(faults.duplication)) this.#deliver(frame, to);
  }

  #deliver(frame: string, to: End): void {
    const { random, world } = this.#parts;
    const at = world.now + this.#network.delayMs();
    const isReordered = random.chance(this.#network.faults.reordering);
    const when = isReordered ? at : Math.max(at, to.lastAt + 0.001);
    if (!isReordered) to.lastAt = when;
    world.after(when - world.now, () => {
      if (this.#open && !this.#hole && !this.#network.isHole(this.client)) to.received(frame);
    });
  }
}

/** The copy of a profile is signed in as the original is. */
const userOf = ({ name }: Process): string => name.split('+')[0] ?? name;

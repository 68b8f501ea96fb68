/**
 * The simulated network between clients and servers: links of frames with delay, and per seed
 * some of: loss, duplication, reordering, sudden cuts, and holes in which a link stays open while
 * everything in it vanishes.
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
  /** It was told so: nothing more comes. */
  isClosed: boolean;
}

export class Network {
  faults: NetworkFaults;
  readonly #world: World;
  readonly #random: Random;
  readonly #wires = new Set<Wire>();
  /** Who listens, by address. */
  readonly #listening = new Map<string, Listening>();
  readonly #partitioned = new Set<string>();
  /** Clients that are heard and hear nothing. */
  readonly #deaf = new Set<string>();
  /** Client and server that cannot reach each other, though both reach others. */
  readonly #parted = new Set<string>();

  constructor(world: World, options: { random: Random; faults: NetworkFaults }) {
    this.#world = world;
    this.#random = options.random;
    this.faults = options.faults;
  }

  listen(process: Process, acceptor: Acceptor): void {
    this.#listening.set(addressOf(process), { process, acceptor });
  }

  /** It is gone, and so are its links. */
  deafen(process: Process): void {
    this.#listening.delete(addressOf(process));
    for (const wire of [...this.#wires]) if (wire.server === process) wire.cut('server gone');
  }

  /** While partitioned a client's connects fail and its links are holes. */
  partition(client: string, on: boolean): void {
    if (on) this.#partitioned.add(client);
    else this.#partitioned.delete(client);
    this.#world.trace(`network ${on ? 'loses' : 'finds'} ${client}`);
  }

  /** While deaf a client is heard, and nothing reaches it. */
  stopEars(client: string, on: boolean): void {
    if (on) this.#deaf.add(client);
    else this.#deaf.delete(client);
    this.#world.trace(`network ${on ? 'deafens' : 'speaks to'} ${client}`);
  }

  /** This client cannot reach this server until `rejoin`. */
  part(client: string, server: string): void {
    this.#parted.add(`${client} ${server}`);
    this.#world.trace(`network parts ${client} from ${server}`);
    for (const wire of [...this.#wires]) {
      if (wire.client === client && wire.server.name === server) wire.cut('parted');
    }
  }

  rejoin(): void {
    this.#parted.clear();
  }

  cutWhere(which: (client: string) => boolean, reason: string): void {
    for (const wire of [...this.#wires]) if (which(wire.client)) wire.cut(reason);
  }

  /** `addresses`: as the app names them; one that a server names is dialled all the same. */
  transport(client: Process, addresses: readonly string[]): Transport {
    return {
      name: 'server',
      addresses,
      connect: (events, address = addresses[0]) => this.#connect(client, events, address ?? ''),
      token: (done) => this.#world.soon(client.bound(() => done(`dev:${userOf(client)}`))),
    };
  }

  #connect(client: Process, events: LinkEvents, address: string): () => void {
    let wire: Wire | undefined;
    let abandoned = false;
    this.#world.after(this.delayMs(), client.bound(() => {
      if (abandoned) return;
      const listening = this.#listening.get(address);
      this.#world.trace(`${client.name} dials ${address}`);
      if (listening?.process.isAlive !== true || this.#isApart(client, listening.process)) {
        events.closed('unreachable');
        return;
      }
      const { process: server, acceptor } = listening;
      wire = new Wire(this, { world: this.#world, random: this.#random, client, server });
      this.#wires.add(wire);
      server.bound(() => wire?.begin(acceptor, events))();
    }));
    return () => {
      abandoned = true;
      wire?.cut('abandoned');
    };
  }

  #isApart({ name }: Process, server: Process): boolean {
    return this.#partitioned.has(name) || this.#parted.has(`${name} ${server.name}`);
  }

  delayMs(): number {
    return 0.2 + this.#random.exponential(this.faults.meanMs);
  }

  isHole(client: string, isTowards: boolean): boolean {
    return this.#partitioned.has(client) || (isTowards && this.#deaf.has(client));
  }

  forget(wire: Wire): void {
    this.#wires.delete(wire);
  }
}

interface Listening {
  readonly process: Process;
  readonly acceptor: Acceptor;
}

/** Where a server is reached. */
export const addressOf = ({ name }: Process): string => `ws://${name}`;

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
  /** What is in flight does not arrive. */
  #isLost = false;
  #hole = false;

  constructor(network: Network, parts: WireParts) {
    this.#network = network;
    this.#parts = parts;
    this.client = parts.client.name;
  }

  get server(): Process {
    return this.#parts.server;
  }

  begin(acceptor: Acceptor, events: LinkEvents): void {
    if (!this.#open) return;
    const { client, server, world, random } = this.#parts;
    const toClient = (frame: string): void => this.#send(frame, this.#clientEnd);
    const toServer = (frame: string): void => this.#send(frame, this.#serverEnd);
    const serverSide = acceptor.accept({ send: toClient, close: () => this.#close('closed by server') });
    this.#serverEnd = {
      received: server.bound((frame: string) => serverSide.received(frame)),
      closed: server.bound(() => serverSide.closed('cut')),
      process: server, lastAt: 0, isClosed: false,
    };
    this.#clientEnd = {
      received: client.bound((frame: string) => events.received(frame)),
      closed: client.bound((reason: string) => events.closed(reason)),
      process: client, lastAt: 0, isClosed: false,
    };
    if (!this.#open) {
      client.bound(() => events.closed('closed by server'))();
      return;
    }
    client.bound(() => events.opened({ send: toServer, close: () => this.#close('closed by client') }))();
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
    this.#isLost = true;
    this.#close(reason);
  }

  /** What was sent before arrives, then the end of the link. */
  #close(reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    const { world } = this.#parts;
    world.trace(`${this.client} link ends: ${reason}`);
    for (const end of [this.#clientEnd, this.#serverEnd]) {
      if (end === undefined) continue;
      const waitMs = this.#isLost ? 0 : Math.max(0, end.lastAt - world.now);
      world.after(waitMs + this.#network.delayMs(), () => {
        this.#network.forget(this);
        end.isClosed = true;
        end.closed(reason);
      });
    }
  }

  #send(frame: string, to: End | undefined): void {
    if (!this.#open || to === undefined) return;
    const { random, world } = this.#parts;
    const { faults } = this.#network;
    world.trace(`${to.process.name} <- ${this.client} ${frame}`);
    if (this.#isHole(to)) return;
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
      if (!this.#isLost && !to.isClosed && !this.#isHole(to)) to.received(frame);
    });
  }

  #isHole(to: End): boolean {
    return this.#hole || this.#network.isHole(this.client, to === this.#clientEnd);
  }
}

/** The copy of a profile is signed in as the original is. */
const userOf = ({ name }: Process): string => name.split('+')[0] ?? name;

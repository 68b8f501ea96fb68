/**
 * Several hosts on this machine: network namespaces of the kernel, each with one cable to a switch
 * in a namespace of its own. What a wire in user space cannot show is real here: packets that
 * vanish without a word, connections that nobody ends, a host that hears and is not heard.
 */
import { execFileSync } from 'node:child_process';
import { threadId } from 'node:worker_threads';

export class Hosts {
  readonly #count: number;
  /** Of names and addresses: other runs on this machine have others. */
  readonly #run = `ox${process.pid.toString(36)}${threadId}`;
  readonly #net = `10.77.${process.pid % 250}`;

  private constructor(count: number) {
    this.#count = count;
  }

  static start(count: number): Hosts {
    const hosts = new Hosts(count);
    try {
      hosts.#build();
    } catch (error) {
      hosts.stop();
      throw error;
    }
    return hosts;
  }

  address(host: number): string {
    return `${this.#net}.${10 + host}`;
  }

  /** What to put before a command so that it runs on that host. */
  prefix(host: number): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name(host)];
  }

  /** Pulls its cable: nothing goes in or out, and nobody is told. */
  unplug(host: number): void {
    this.#onSwitch('ip', 'link', 'set', port(host), 'down');
  }

  /** These cannot reach each other; the others, and clients, reach all. */
  part(...hosts: readonly number[]): void {
    for (const host of hosts) {
      this.#onSwitch('bridge', 'link', 'set', 'dev', port(host), 'isolated', 'on');
    }
  }

  /** It hears the other hosts, and they do not hear it. */
  mute(host: number): void {
    for (const other of this.#others(host)) {
      ip('-n', this.#name(host), 'route', 'add', 'blackhole', `${this.address(other)}/32`);
    }
  }

  /** Its cable carries a megabit per second, with a queue of 200 ms. */
  throttle(host: number): void {
    this.#onSwitch(
      'tc', 'qdisc', 'add', 'dev', port(host), 'root',
      'tbf', 'rate', '1mbit', 'burst', '16kb', 'latency', '200ms',
    );
  }

  /** Everything is plugged in again, and nobody is muted, parted or throttled. */
  mend(): void {
    for (const host of this.#all()) {
      this.#onSwitch('ip', 'link', 'set', port(host), 'up');
      this.#onSwitch('bridge', 'link', 'set', 'dev', port(host), 'isolated', 'off');
      ip('-n', this.#name(host), 'route', 'flush', 'type', 'blackhole');
      const queue = execFileSync('ip', [
        'netns', 'exec', this.#switch, 'tc', 'qdisc', 'show', 'dev', port(host),
      ]).toString();
      if (queue.includes('tbf')) this.#onSwitch('tc', 'qdisc', 'del', 'dev', port(host), 'root');
    }
  }

  /** Ends the namespaces and their cables. The programs on them are ended before. */
  stop(): void {
    const present = execFileSync('ip', ['netns', 'list']).toString();
    for (const name of [...this.#all().map((host) => this.#name(host)), this.#switch]) {
      if (new RegExp(`^${name}( |$)`, 'm').test(present)) ip('netns', 'del', name);
    }
  }

  #build(): void {
    ip('netns', 'add', this.#switch);
    ip('-n', this.#switch, 'link', 'add', 'br0', 'type', 'bridge');
    ip('-n', this.#switch, 'link', 'set', 'br0', 'up');
    for (const host of this.#all()) {
      const name = this.#name(host);
      ip('netns', 'add', name);
      ip('-n', name, 'link', 'set', 'lo', 'up');
      this.#plug(port(host), ['netns', name], 'eth0');
      ip('-n', name, 'address', 'add', `${this.address(host)}/24`, 'dev', 'eth0');
      ip('-n', name, 'link', 'set', 'eth0', 'up');
    }
    // The clients, and whoever watches, are here.
    this.#plug('home', ['netns', String(process.pid)], this.#run);
    ip('address', 'add', `${this.#net}.1/24`, 'dev', this.#run);
    ip('link', 'set', this.#run, 'up');
  }

  /** A cable from the switch to another namespace. */
  #plug(near: string, far: readonly string[], name: string): void {
    ip('-n', this.#switch, 'link', 'add', near, 'type', 'veth', 'peer', 'name', name, ...far);
    ip('-n', this.#switch, 'link', 'set', near, 'master', 'br0');
    ip('-n', this.#switch, 'link', 'set', near, 'up');
  }

  #onSwitch(...command: readonly string[]): void {
    ip('netns', 'exec', this.#switch, ...command);
  }

  #all(): number[] {
    return Array.from({ length: this.#count }, (_, host) => host);
  }

  #others(host: number): number[] {
    return this.#all().filter((other) => other !== host);
  }

  #name(host: number): string {
    return `${this.#run}-${host}`;
  }

  get #switch(): string {
    return `${this.#run}-switch`;
  }
}

const port = (host: number): string => `port${host}`;

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Why this machine has no such hosts; undefined: it has. */
export function whyNoHosts(): string | undefined {
  let hosts;
  try {
    hosts = Hosts.start(2);
    hosts.part(0, 1);
    hosts.mute(0);
    hosts.throttle(0);
    hosts.mend();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    hosts?.stop();
  }
}

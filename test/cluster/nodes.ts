/**
 * Three nodes as an operator runs them: processes of their own from the built package, on loopback
 * or on hosts of their own, with a cluster secret made for the occasion. They are killed, stopped
 * and started again by number.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../bench/free-ports.js';
import type { Hosts } from './hosts.js';
import { LinkProxy } from './link-proxy.js';

export interface NodesOptions {
  /** A folder on the disk to use; each node gets its own in it. */
  readonly folder: string;
  readonly app: string;
  readonly count?: number;
  /** Node's own flags, such as `--max-semi-space-size=64`. */
  readonly execArgv?: readonly string[];
  readonly logLevel?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Put a wire that can be cut between every two nodes. */
  readonly isProxied?: boolean;
  /** Each node runs on the host of its number, instead of all on loopback. */
  readonly hosts?: Hosts;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const READY_MS = 30_000;

export class Nodes {
  readonly #options: NodesOptions;
  readonly #clientPorts: readonly number[];
  readonly #peerPorts: readonly number[];
  readonly #processes = new Map<number, ChildProcess>();
  /** By who dials, then by who is dialled. */
  readonly #proxies: LinkProxy[][] = [];
  /** What each node has written to standard error and output, the end of it. */
  readonly logs: string[] = [];

  private constructor(options: NodesOptions, ports: readonly number[]) {
    this.#options = options;
    this.#clientPorts = ports.slice(0, ports.length / 2);
    this.#peerPorts = ports.slice(ports.length / 2);
  }

  /** Resolves when every node is ready. */
  static async start(options: NodesOptions): Promise<Nodes> {
    const count = options.count ?? 3;
    const nodes = new Nodes(options, await freePorts(2 * count));
    mkdirSync(options.folder, { recursive: true });
    writeFileSync(nodes.#secretFile, randomBytes(32).toString('hex'), { mode: 0o600 });
    if (options.isProxied === true) await nodes.#startProxies();
    for (const node of nodes.numbers) nodes.spawn(node);
    await nodes.ready();
    return nodes;
  }

  get numbers(): number[] {
    return [...this.#clientPorts.keys()];
  }

  /** Where clients connect. */
  url(node: number): string {
    return `ws://${this.#address(node)}:${this.#clientPorts[node] ?? 0}/sync`;
  }

  get urls(): string[] {
    return this.numbers.map((node) => this.url(node));
  }

  data(node: number): string {
    return join(this.#options.folder, nameOf(node));
  }

  get secretFile(): string {
    return this.#secretFile;
  }

  http(node: number, path: string): string {
    return `http://${this.#address(node)}:${this.#clientPorts[node] ?? 0}${path}`;
  }

  pid(node: number): number | undefined {
    return this.#processes.get(node)?.pid;
  }

  /** The wires of a node, both ways. */
  wires(node: number): LinkProxy[] {
    return this.#proxies.flatMap((row, from) =>
      row.filter((_, to) => from !== to && (from === node || to === node)));
  }

  /** All nodes that run are ready: they lead, or know who does. */
  async ready(): Promise<void> {
    const deadline = Date.now() + READY_MS;
    for (const node of this.#processes.keys()) {
      while (!(await this.isReady(node))) {
        if (Date.now() > deadline) {
          throw new Error(`node ${nameOf(node)} is not ready:\n${this.logs[node] ?? ''}`);
        }
        await sleep(50);
      }
    }
  }

  async isReady(node: number): Promise<boolean> {
    try {
      const answer = await fetch(this.http(node, '/readyz'), { signal: AbortSignal.timeout(1_000) });
      return answer.ok;
    } catch {
      // Not listening, or frozen: not ready.
      return false;
    }
  }

  /** The number of the node that says it leads; undefined: none does now. */
  async leader(): Promise<number | undefined> {
    const roles = await Promise.all(this.numbers.map((node) => this.#isLeading(node)));
    const found = roles.indexOf(true);
    return found === -1 ? undefined : found;
  }

  async mustLeader(): Promise<number> {
    const deadline = Date.now() + READY_MS;
    for (;;) {
      const leader = await this.leader();
      if (leader !== undefined) return leader;
      if (Date.now() > deadline) throw new Error('nobody leads');
      await sleep(20);
    }
  }

  /** Sends a signal and, where it ends the process, waits for the end. */
  async signal(node: number, signal: NodeJS.Signals): Promise<void> {
    const child = this.#processes.get(node);
    if (child === undefined) return;
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') {
      child.kill(signal);
      return;
    }
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    this.#processes.delete(node);
    child.kill(signal);
    await ended;
  }

  spawn(node: number): void {
    const { app, execArgv = [], logLevel = 'warn', env, hosts } = this.#options;
    const peers = this.#peerPorts.map((port, other) =>
      `${nameOf(other)}=${this.#address(other)}:${this.#wire(node, other)?.port ?? port}`);
    const [command, ...args] = [
      ...(hosts?.prefix(node) ?? []), process.execPath,
      ...execArgv, 'packages/server/bin/oxbow.js', 'serve', '--app', app,
      '--data', this.data(node), '--host', this.#address(node),
      '--port', String(this.#clientPorts[node] ?? 0), '--dev-auth',
      '--cluster', peers.join(','), '--node', nameOf(node),
      '--cluster-secret-file', this.#secretFile, '--log-level', logLevel,
    ] as const;
    const child = spawn(command, args, {
      cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env },
    });
    const keep = (text: Buffer): void => {
      this.logs[node] = ((this.logs[node] ?? '') + text.toString()).slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    this.#processes.set(node, child);
  }

  /** Kills what still runs. */
  async stop(): Promise<void> {
    await Promise.all(this.numbers.map((node) => this.signal(node, 'SIGKILL')));
    await Promise.all(this.#proxies.flat().map((proxy) => proxy.close()));
  }

  async #startProxies(): Promise<void> {
    for (const from of this.numbers) {
      this.#proxies[from] = await Promise.all(
        this.#peerPorts.map((port) => LinkProxy.start(port)),
      );
    }
  }

  #address(node: number): string {
    return this.#options.hosts?.address(node) ?? '127.0.0.1';
  }

  /** Undefined: a node needs none to itself. */
  #wire(from: number, to: number): LinkProxy | undefined {
    return from === to ? undefined : this.#proxies[from]?.[to];
  }

  get #secretFile(): string {
    return join(this.#options.folder, 'cluster-secret');
  }

  async #isLeading(node: number): Promise<boolean> {
    if (!this.#processes.has(node)) return false;
    try {
      const answer = await fetch(this.http(node, '/metrics'), { signal: AbortSignal.timeout(500) });
      return /^oxbow_leading(\{[^}]*\})? 1$/m.test(await answer.text());
    } catch {
      // Down or frozen: not leading.
      return false;
    }
  }
}

export const nameOf = (node: number): string => String.fromCharCode('a'.charCodeAt(0) + node);

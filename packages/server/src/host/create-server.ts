/**
 * The composition root: puts the real disk, sockets, tokens, logs and clock under one `NodeHost`, in the order in
 * which they depend on each other, and takes them down in the reverse one.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { AppDefinition } from '@oxbow/sdk/model';
import { limits, OxbowError } from '@oxbow/sdk/protocol';
import { createVerifier, type AuthOptions, type Verifier } from '../drivers/auth.js';
import { clientLinks } from '../drivers/client-links.js';
import { lockData, type DataLock } from '../drivers/data-lock.js';
import { listenHttp, type HttpServer, type Readiness } from '../drivers/http.js';
import { openLmdbStore } from '../drivers/lmdb-store.js';
import { createLogger, type Logger } from '../drivers/log.js';
import { createMetrics, type Metrics } from '../drivers/metrics.js';
import { openSegmentDirectory } from '../drivers/segment-file.js';
import { makeMemberId } from '../cluster/node-name.js';
import { foundAlone } from '../log/founding.js';
import { PaxosLog } from '../log/paxos-log.js';
import type { SegmentDirectory } from '../log/append-file.js';
import { SegmentLog } from '../log/segment-log.js';
import { nodeLimits } from '../node/limits.js';
import { systemClock } from './host-clock.js';
import { NodeHost } from './node-host.js';

export interface ServerOptions {
  /** What `defineApp` returned: the same module that the clients load. */
  readonly app: AppDefinition;
  /** Folder for the log and the state, on a local disk; created if missing. One process at a time uses it. */
  readonly data: string;
  /** Default: 8787. 0 takes any free port. */
  readonly port?: number;
  /** Default: 127.0.0.1, this machine only. `0.0.0.0` or `::` for all interfaces. */
  readonly host?: string;
  /** How users prove who they are. */
  readonly auth: AuthOptions;
  /** Default: JSON lines on standard output from level `info` on. */
  readonly logger?: Logger;
  /** Web origins whose pages may connect. Default: any, for a token is needed in any case. */
  readonly origins?: readonly string[];
  /** Checks that cost time: frozen rows, a report of nondeterminism in mutations. Default: unless NODE_ENV is `production`. */
  readonly dev?: boolean;
  /** The server cannot go on (a failing disk, a bug) and has stopped serving: end the process. */
  readonly onFailure?: (error: OxbowError) => void;
}

export interface OxbowServer {
  /**
   * Opens the data, replays the log and listens; resolves when clients are served. Errors: `data-in-use`,
   * `data-unavailable`, `store-newer`, `store-damaged`, `log-damaged`, `port-in-use`, `listen-failed`.
   */
  listen(): Promise<{ readonly url: string }>;
  /** Where it listens; undefined before and after. */
  readonly address: { readonly host: string; readonly port: number } | undefined;
  /** Finishes what was accepted, tells clients to come back later, closes the data. Safe to call twice. */
  close(): Promise<void>;
}

/** A drain that takes longer is cut short: what was acknowledged is in the log. */
const DRAIN_MS = 10_000;
/** A link with more than this unread is ended: four of the largest frames. */
const BUFFERED_BYTES_MAX = 4 * limits.frameBytesMax;

/**
 * A server of one node. Does nothing until `listen`. Errors: `config-invalid`.
 *
 *     const server = createServer({ app: calendar, data: './data', auth: { secret } });
 *     const { url } = await server.listen();
 */
export function createServer(options: ServerOptions): OxbowServer {
  return new NodeServer(options, createVerifier(options.auth));
}

class NodeServer implements OxbowServer {
  readonly #options: ServerOptions;
  readonly #verifier: Verifier;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  #host: NodeHost | undefined;
  #http: HttpServer | undefined;
  #lock: DataLock | undefined;
  #closing: Promise<void> | undefined;
  /** Of a `listen` that waits for the log to be replayed. */
  #resolveReady: (() => void) | undefined;
  #endListening: ((error: OxbowError) => void) | undefined;
  #endLinks: (code: string) => void = () => undefined;

  constructor(options: ServerOptions, verifier: Verifier) {
    this.#options = options;
    this.#verifier = verifier;
    this.#logger = options.logger ?? createLogger({ level: 'info' });
    this.#metrics = createMetrics(() => this.#gauges());
  }

  get address(): { readonly host: string; readonly port: number } | undefined {
    const address = this.#http?.address;
    return address === undefined ? undefined : { host: address.address, port: address.port };
  }

  async listen(): Promise<{ readonly url: string }> {
    if (this.#lock !== undefined || this.#closing !== undefined) {
      throw new OxbowError('config-invalid', 'This server was started before: create another one.');
    }
    for (const warning of this.#verifier.warnings) this.#logger.log('warn', 'insecure', { warning });
    try {
      this.#lock = await lockData(this.#options.data);
      this.#host = this.#composeHost();
      // Probes are answered while the log is replayed: alive, not ready.
      this.#http = await this.#listenHttp(this.#host);
      await this.#started(this.#host);
    } catch (error) {
      await this.close();
      throw error;
    }
    const url = urlOf(this.#http);
    this.#logger.log('info', 'listening', { url, app: this.#options.app.name });
    return { url };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #composeHost(): NodeHost {
    const { app, data, dev = process.env['NODE_ENV'] !== 'production' } = this.#options;
    const monotonicMs = (): number => performance.now();
    const store = openLmdbStore({
      path: join(data, 'state'),
      monotonicMs,
      observeApply: (durationMs) => this.#metrics.storeApplied(durationMs),
    });
    const directory = openSegmentDirectory({
      path: join(data, 'log'),
      monotonicMs,
      observeBarrier: (durationMs) => this.#metrics.barrier(durationMs),
    });
    const parts = {
      app, dev, store,
      clock: systemClock,
      log: groupOfOne(directory),
      verifier: this.#verifier,
      logger: this.#logger,
      meter: this.#metrics,
    };
    return new NodeHost(parts, {
      ready: () => this.#becameReady(),
      failed: (error) => this.#failed(error),
    });
  }

  async #listenHttp(host: NodeHost): Promise<HttpServer> {
    const links = clientLinks({
      accept: (link) => host.accept(link),
      frameBytesMax: limits.frameBytesMax,
      bufferedBytesMax: BUFFERED_BYTES_MAX,
      linksMax: nodeLimits.linksMax,
      ...(this.#options.origins === undefined ? {} : { origins: this.#options.origins }),
    });
    this.#endLinks = (code) => links.closeAll(code);
    return listenHttp({
      host: this.#options.host ?? '127.0.0.1',
      port: this.#options.port ?? 8787,
      readiness: () => this.#readiness(),
      metrics: () => this.#metrics.render(),
      upgrade: (request, socket, head) => links.upgrade(request, socket, head),
    });
  }

  #started(host: NodeHost): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#endListening = reject;
      host.start();
    });
  }

  #becameReady(): void {
    this.#endListening = undefined;
    this.#resolveReady?.();
  }

  #failed(error: OxbowError): void {
    const endListening = this.#endListening;
    this.#endListening = undefined;
    if (endListening !== undefined) {
      endListening(error);
      return;
    }
    void this.close().then(() => this.#options.onFailure?.(error));
  }

  #readiness(): Readiness {
    const state = this.#closing === undefined ? (this.#host?.state ?? 'starting') : 'draining';
    return { ready: state === 'ready', state, warnings: this.#verifier.warnings };
  }

  #gauges() {
    return this.#host?.gauges() ?? {
      links: 0, spaces: 0, slotsInFlight: 0, entriesInFlight: 0, slotsUnapplied: 0,
      linksWaiting: 0, logBytesInFlight: 0, ready: false,
    };
  }

  /** Not ready first, then drained, then deaf: no client is refused by a closed port before it was told. */
  async #close(): Promise<void> {
    const [host, http] = [this.#host, this.#http];
    if (host !== undefined) {
      const isDrained = await within(DRAIN_MS, (done) => host.stop(done));
      if (!isDrained) this.#logger.log('error', 'drain-timeout', { waitedMs: DRAIN_MS });
    }
    this.#endLinks('server-stopping');
    if (http !== undefined) await within(DRAIN_MS, (done) => http.close(done));
    this.#http = undefined;
    await this.#lock?.release();
    this.#logger.log('info', 'stopped', {});
  }
}

/** The name of a node that nobody gave one. */
const NODE_NAME = 'node';

function groupOfOne(directory: SegmentDirectory): PaxosLog {
  const id = makeMemberId(NODE_NAME, randomBytes(8).toString('hex'));
  return new PaxosLog({
    wal: new SegmentLog(directory),
    clock: { monotonicMs: () => performance.now(), after: systemClock.after },
    random: Math.random,
    form: (slot, done) => done(foundAlone({
      cluster: randomUUID(), slot,
      self: { id, name: NODE_NAME, peerAddress: '', clientUrl: '' },
    })),
  });
}

/** Whether `task` was done in time. */
function within(waitMs: number, task: (done: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), waitMs);
    task(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

function urlOf({ address }: HttpServer): string {
  const isAny = address.address === '0.0.0.0' || address.address === '::';
  const host = isAny ? 'localhost' : address.address;
  return `ws://${host.includes(':') ? `[${host}]` : host}:${address.port}/sync`;
}

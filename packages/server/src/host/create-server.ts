/**
 * The composition root: puts the real disk, sockets, tokens, logs and clock under one `NodeHost`,
 * in the order in which they depend on each other, and takes them down in the reverse one.
 */
import type { ServerResponse } from 'node:http';
import type { AppDefinition } from '@oxbow/sdk/model';
import { limits, OxbowError } from '@oxbow/sdk/protocol';
import { answerAdmin } from '../drivers/admin-http.js';
import { answerBackup } from '../drivers/backup-http.js';
import { createVerifier, type AuthOptions, type Verifier } from '../drivers/auth.js';
import { clientLinks } from '../drivers/client-links.js';
import { lockData, type DataLock } from '../drivers/data-lock.js';
import { listenHttp, type HttpServer, type Readiness } from '../drivers/http.js';
import { createLogger, type Logger } from '../drivers/log.js';
import { memberNotes } from '../drivers/member-note.js';
import { createMetrics, type Metrics } from '../drivers/metrics.js';
import { testSync } from '../drivers/sync-test.js';
import { resolveNodeLimits, socketLimits, type NodeLimits } from '../node/limits.js';
import { diagnose } from './cluster-doctor.js';
import {
  resolveAdminToken, resolveCluster, splitAddress, type ClusterOptions, type ResolvedCluster,
} from './cluster-options.js';
import type { ClusterStatus } from './cluster-status.js';
import { systemClock } from './host-clock.js';
import { compose, isRefillable, setAside, type Composition } from './composition.js';
import { RecentSamples } from './recent-samples.js';
import { SERVER_VERSION } from './version.js';

export interface ServerOptions {
  /** What `defineApp` returned: the same module that the clients load. */
  readonly app: AppDefinition;
  /**
   * Folder for the log and the state, on a local disk; created if missing. One process at a time
   * uses it.
   */
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
  /**
   * Checks that cost time: frozen rows, a report of nondeterminism in mutations. Default: unless
   * NODE_ENV is `production`.
   */
  readonly dev?: boolean;
  /**
   * The group that this node is part of. Default: a group of one, which others can be added to
   * later.
   */
  readonly cluster?: ClusterOptions;
  /**
   * Opens `/cluster`: at least 32 characters. Default: made of the cluster's secret; without one
   * nobody is let in.
   */
  readonly adminToken?: string;
  /** Other bounds than the defaults (node/limits.ts), each checked against the others. */
  readonly limits?: Partial<NodeLimits>;
  /** The server cannot go on (a failing disk, a bug) and has stopped serving: end the process. */
  readonly onFailure?: (error: OxbowError) => void;
}

export interface OxbowServer {
  /**
   * Opens the data, replays the log and listens; resolves when clients are served, or sent to the
   * leader. Errors: `data-in-use`, `data-unavailable`, `store-newer`, `store-damaged`,
   * `log-damaged`, `port-in-use`, `listen-failed`, `config-invalid`.
   */
  listen(): Promise<{ readonly url: string }>;
  /** Where it listens; undefined before and after. */
  readonly address: { readonly host: string; readonly port: number } | undefined;
  /** Reads the cluster's certificates anew; it looks at their files by itself too. */
  reloadCertificates(): void;
  /**
   * Finishes what was accepted, tells clients to come back later, closes the data. Safe to call
   * twice.
   */
  close(): Promise<void>;
}

/**
 * One node of a server. Does nothing until `listen`. Errors: `config-invalid`.
 *
 *     const server = createServer({ app: calendar, data: './data', auth: { secret } });
 *     const { url } = await server.listen();
 */
export function createServer(options: ServerOptions): OxbowServer {
  return new NodeServer(options, createVerifier(options.auth));
}

/** A node that loses its data again and again has a disk that nobody should write to. */
const NEW_STARTS_MAX = 3;

class NodeServer implements OxbowServer {
  readonly #options: ServerOptions;
  readonly #verifier: Verifier;
  readonly #limits: NodeLimits;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #adminToken: string | undefined;
  readonly #fsync = new RecentSamples();
  readonly #commit = new RecentSamples();
  #commits = 0;
  #cluster: ResolvedCluster | undefined;
  #run: Composition | undefined;
  #newStarts = 0;
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
    this.#limits = resolveNodeLimits(options.limits);
    this.#logger = options.logger ?? createLogger({ level: 'info' });
    this.#adminToken = resolveAdminToken(options.adminToken, options.cluster);
    // What the data directory says is looked at later.
    resolveCluster(options.cluster, undefined);
    const metrics = createMetrics(() => this.#gauges(), () => this.#run?.node.gauges);
    this.#metrics = {
      ...metrics,
      count: (counter, by) => {
        if (counter === 'entries_committed') this.#commits += by;
        metrics.count(counter, by);
      },
      observe: (histogram, value) => {
        if (histogram === 'commit_ms') this.#commit.add(value);
        metrics.observe(histogram, value);
      },
    };
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
      const { data, cluster } = this.#options;
      this.#lock = await lockData(data);
      this.#cluster = resolveCluster(cluster, memberNotes(data).read());
      // Probes are answered while the log is replayed: alive, not ready.
      this.#http = await this.#listenHttp();
      this.#logger.log('info', 'http-listening', { url: urlOf(this.#http) });
      this.#run = await this.#compose(this.#cluster, this.#http);
      await this.#started(this.#run);
    } catch (error) {
      await this.close();
      throw error;
    }
    const url = urlOf(this.#http);
    this.#logger.log('info', 'listening', { url, app: this.#options.app.name });
    return { url };
  }

  reloadCertificates(): void {
    this.#run?.links?.reloadCertificates();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #compose(cluster: ResolvedCluster, http: HttpServer): Promise<Composition> {
    const { app, data, dev = process.env['NODE_ENV'] !== 'production' } = this.#options;
    return compose({
      app, data, dev, cluster,
      limits: this.#limits,
      clientUrl: clientUrlOf(cluster, http),
      version: SERVER_VERSION,
      verifier: this.#verifier,
      logger: this.#logger,
      metrics: this.#metrics,
      fsync: this.#fsync,
      events: {
        ready: () => this.#becameReady(),
        failed: (error) => this.#failed(error),
      },
    });
  }

  async #listenHttp(): Promise<HttpServer> {
    const links = clientLinks({
      accept: (link) => {
        if (this.#run !== undefined) return this.#run.host.accept(link);
        link.close('server-starting');
        return { received: () => undefined, closed: () => undefined };
      },
      frameBytesMax: limits.frameBytesMax,
      bufferedBytesMax: socketLimits.unreadBytesMax,
      linksMax: this.#limits.linksMax,
      ...(this.#options.origins === undefined ? {} : { origins: this.#options.origins }),
    });
    this.#endLinks = (code) => links.closeAll(code);
    return listenHttp({
      host: this.#options.host ?? '127.0.0.1',
      port: this.#options.port ?? 8787,
      readiness: () => this.#readiness(),
      metrics: () => this.#metrics.render(),
      upgrade: (request, socket, head) => links.upgrade(request, socket, head),
      admin: (request, response) => answerAdmin(request, response, {
        token: this.#adminToken,
        status: () => this.#status(),
        doctor: () => this.#doctor(),
        backup: (response) => this.#backup(response),
        order: (order, done) => {
          const node = this.#run?.node;
          if (node !== undefined) node.order(order, done);
          else done({ code: 'not-leader', message: 'This node is starting. Try again in a moment.' });
        },
      }),
    });
  }

  #started({ host }: Composition): Promise<void> {
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
    if (!this.#maybeStartAnew(error)) this.#giveUp(error);
  }

  /** Whoever waits for `listen` is told there, anybody else by `onFailure`. */
  #giveUp(error: OxbowError): void {
    const endListening = this.#endListening;
    this.#endListening = undefined;
    if (endListening !== undefined) {
      endListening(error);
      return;
    }
    void this.close().then(() => this.#options.onFailure?.(error));
  }

  /** Where there are others, a disk that cannot be trusted is not the end: they fill a new one. */
  #maybeStartAnew(error: OxbowError): boolean {
    const [run, cluster, http] = [this.#run, this.#cluster, this.#http];
    if (run === undefined || cluster === undefined || http === undefined) return false;
    if (!isRefillable(error) || this.#closing !== undefined) return false;
    if (this.#newStarts >= NEW_STARTS_MAX || !run.node.forget()) return false;
    this.#newStarts += 1;
    this.#startAnew(run, cluster, http).catch((cause: unknown) => {
      this.#logger.log('error', 'start-anew-failed', { error: cause });
      this.#giveUp(cause instanceof OxbowError ? cause : error);
    });
    return true;
  }

  async #startAnew(run: Composition, cluster: ResolvedCluster, http: HttpServer): Promise<void> {
    await within(socketLimits.drainMs, (done) => run.stop(done));
    const folder = setAside(this.#options.data);
    this.#logger.log('error', 'data-set-aside', { folder });
    const next = await this.#compose(cluster, http);
    if (this.#closing !== undefined) {
      next.stop(() => undefined);
      return;
    }
    this.#run = next;
    next.host.start();
  }

  /**
   * A down peer or a missing quorum is no reason to restart this node, nor to send nobody here
   * while it can redirect.
   */
  #readiness(): Readiness {
    const { host, node } = this.#run ?? {};
    const state = this.#closing === undefined ? (host?.state ?? 'starting') : 'draining';
    const ready = state === 'ready' && node?.isOfUse === true;
    return { ready, state, warnings: this.#verifier.warnings };
  }

  #status(): ClusterStatus | { readonly state: string } {
    const { state } = this.#readiness();
    if (this.#run === undefined) return { state };
    return this.#run.node.status({
      state,
      fsync: this.#fsync.spread(),
      commit: this.#commit.spread(),
      proposalsInFlight: this.#gauges().slotsInFlight,
      commits: this.#commits,
    });
  }

  async #doctor(): Promise<unknown> {
    const disk = await testSync(this.#options.data);
    const status = this.#status();
    if (!('nodes' in status)) throw new OxbowError('server-starting', 'This node is starting. Try again.');
    return { status, findings: diagnose(status, disk) };
  }

  async #backup(response: ServerResponse): Promise<void> {
    const node = this.#run?.node;
    if (node === undefined) {
      throw new OxbowError('server-starting', 'This node is starting. Try again.');
    }
    const takenAt = new Date(systemClock.now()).toISOString();
    await answerBackup(response, await node.exportState(), takenAt);
  }

  #gauges() {
    return this.#run?.host.gauges() ?? {
      links: 0, spaces: 0, slotsInFlight: 0, entriesInFlight: 0, slotsUnapplied: 0,
      linksWaiting: 0, logBytesInFlight: 0, ready: false,
    };
  }

  /**
   * Not ready first, then drained, then deaf: no client is refused by a closed port before it was
   * told.
   */
  async #close(): Promise<void> {
    const [run, http] = [this.#run, this.#http];
    if (run !== undefined) {
      const isDrained = await within(socketLimits.drainMs, (done) => run.stop(done));
      if (!isDrained) this.#logger.log('error', 'drain-timeout', { waitedMs: socketLimits.drainMs });
    }
    this.#endLinks('server-stopping');
    if (http !== undefined) await within(socketLimits.drainMs, (done) => http.close(done));
    this.#http = undefined;
    await this.#lock?.release();
    this.#logger.log('info', 'stopped', {});
  }
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

/** What it was told, else where it listens, under the name by which other nodes reach it. */
function clientUrlOf({ clientUrl, peers, peerAddress }: ResolvedCluster, http: HttpServer): string {
  if (clientUrl !== undefined) return clientUrl;
  const isAny = http.address.address === '0.0.0.0' || http.address.address === '::';
  return urlOf(http, isAny && peers !== undefined ? splitAddress(peerAddress).host : undefined);
}

function urlOf({ address }: HttpServer, name?: string): string {
  const isAny = address.address === '0.0.0.0' || address.address === '::';
  const host = name ?? (isAny ? 'localhost' : address.address);
  return `ws://${host.includes(':') ? `[${host}]` : host}:${address.port}/sync`;
}

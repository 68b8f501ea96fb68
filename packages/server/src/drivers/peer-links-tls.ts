/**
 * Certificates of nodes (mTLS). The name that a certificate is issued for is the node's, not the
 * host's: nodes move between machines, and what must not happen is that one speaks in another's
 * name. Files are read anew when they change, so that certificates are rotated without a restart;
 * links that stand keep theirs.
 */
import { readFileSync, statSync } from 'node:fs';
import { connect as tlsConnect, createServer, createSecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
import type { Server, Socket } from 'node:net';
import { OxbowError } from '@oxbow/sdk/protocol';
import type { Logger } from './log.js';

export interface PeerTlsFiles {
  /** PEM: whose certificates are believed. A private one, used for this cluster only. */
  readonly ca: string;
  /** PEM: this node's certificate, for client and server use, with the node's name as DNS name. */
  readonly cert: string;
  readonly key: string;
}

/** How often files are looked at, ms. */
const LOOK_MS = 10_000;

export class PeerCertificates {
  readonly #files: PeerTlsFiles;
  readonly #logger: Logger;
  #context: SecureContextOptions;
  #stamp: string;
  readonly #servers = new Set<Server & { setSecureContext(options: SecureContextOptions): void }>();
  readonly #timer: NodeJS.Timeout;

  /** Errors: `config-invalid`. */
  constructor(files: PeerTlsFiles, logger: Logger) {
    this.#files = files;
    this.#logger = logger;
    this.#stamp = this.#stampNow();
    this.#context = mustLoad(files);
    this.#timer = setInterval(() => this.#maybeReload(), LOOK_MS).unref();
  }

  listen(handshakeMs: number, accept: (socket: TLSSocket) => void): Server {
    const server = createServer(
      { ...this.#context, requestCert: true, rejectUnauthorized: true, handshakeTimeout: handshakeMs, minVersion: 'TLSv1.3' },
      accept,
    );
    this.#servers.add(server);
    // Told to whoever knocks by TLS itself; strangers must not fill our log.
    server.on('tlsClientError', (_error, socket: Socket) => socket.destroy());
    return server;
  }

  connect(host: string, port: number): TLSSocket {
    return tlsConnect({
      ...this.#context, host, port, minVersion: 'TLSv1.3', rejectUnauthorized: true,
      // The greeting checks the node's name; the host's says nothing.
      checkServerIdentity: () => undefined,
    });
  }

  /** Reads the files now. What cannot be used is told and leaves the former ones in force. */
  reload(): void {
    try {
      this.#context = mustLoad(this.#files);
      for (const server of this.#servers) server.setSecureContext(this.#context);
      this.#logger.log('info', 'peer-certificates-loaded', { certificate: this.#files.cert });
    } catch (error) {
      this.#logger.log('error', 'peer-certificates-unusable', { code: 'config-invalid', error });
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #maybeReload(): void {
    const stamp = this.#stampNow();
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    this.reload();
  }

  #stampNow(): string {
    const { ca, cert, key } = this.#files;
    return [ca, cert, key].map(changedAtMs).join();
  }
}

function changedAtMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Whether the certificate at the other end of a checked connection was issued for `name`. */
export function certifies(socket: TLSSocket, name: string): boolean {
  const { subject, subjectaltname } = socket.getPeerCertificate();
  if (subjectaltname === undefined) return subject?.CN === name;
  return subjectaltname.split(', ').includes(`DNS:${name}`);
}

function mustLoad(files: PeerTlsFiles): SecureContextOptions {
  try {
    const options = {
      ca: readFileSync(files.ca), cert: readFileSync(files.cert), key: readFileSync(files.key),
    };
    // Finds a key that is not the certificate's before a peer does.
    createSecureContext(options);
    return options;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `Cannot use the cluster's certificates: ${why}. Check that CA, certificate and key are ` +
      'readable PEM files and that the key belongs to the certificate.';
    throw new OxbowError('config-invalid', message, { cause });
  }
}

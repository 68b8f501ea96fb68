/**
 * `oxbow serve`: a server until SIGTERM or SIGINT, then a graceful stop; a second signal ends at
 * once.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import { createVerifier, type AuthOptions, type TokenRules } from '../drivers/auth.js';
import { createLogger } from '../drivers/log.js';
import { createServer } from '../host/create-server.js';
import { clusterOf, type ClusterFlags } from './cluster-flags.js';
import { loadApp } from './load-app.js';
import { mustRead } from './must-read.js';

export interface ServeFlags extends ClusterFlags {
  readonly app: string;
  readonly data: string;
  readonly port: string;
  readonly host: string;
  readonly jwtSecretFile?: string;
  readonly jwtPublicKey?: string;
  readonly jwks?: string;
  readonly issuer?: string;
  readonly audience?: string;
  readonly devAuth?: boolean;
  readonly origin?: readonly string[];
  readonly adminTokenFile?: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

export async function serve(flags: ServeFlags): Promise<void> {
  const auth = authOf(flags);
  if (flags.devAuth === true) shout(createVerifier(auth).warnings);
  const cluster = clusterOf(flags);
  const server = createServer({
    app: await loadApp(flags.app),
    data: flags.data,
    port: portOf(flags.port),
    host: flags.host,
    auth,
    logger: createLogger({ level: flags.logLevel }),
    ...(flags.origin === undefined ? {} : { origins: flags.origin }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(flags.adminTokenFile === undefined
      ? {} : { adminToken: mustRead(flags.adminTokenFile, 'admin token') }),
    // What was acknowledged is on disk; whoever supervises the process starts it again.
    onFailure: () => process.exit(1),
  });
  const stopped = new Promise<void>((stop) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1));
        stop();
      });
    }
  });
  process.on('SIGHUP', () => server.reloadCertificates());
  // A node of a cluster that is not complete yet may wait for long.
  await Promise.race([server.listen(), stopped]);
  await stopped;
  await server.close();
  process.exit(0);
}

function authOf(flags: ServeFlags): AuthOptions {
  const rules: TokenRules = {
    ...(flags.issuer === undefined ? {} : { issuer: flags.issuer }),
    ...(flags.audience === undefined ? {} : { audience: flags.audience }),
  };
  const ways: AuthOptions[] = [];
  if (flags.jwtSecretFile !== undefined) {
    ways.push({ ...rules, secret: mustRead(flags.jwtSecretFile, 'JWT secret').trim() });
  }
  if (flags.jwtPublicKey !== undefined) {
    ways.push({ ...rules, publicKey: mustRead(flags.jwtPublicKey, 'public key') });
  }
  if (flags.jwks !== undefined) ways.push({ ...rules, jwks: flags.jwks });
  if (flags.devAuth === true) ways.push({ devAuth: true });
  const [way, ...others] = ways;
  if (way !== undefined && others.length === 0) return way;
  throw new OxbowError(
    'config-invalid',
    'Cannot tell how users prove who they are: give exactly one of --jwt-secret-file, ' +
      '--jwt-public-key, --jwks, --dev-auth.',
  );
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new OxbowError('config-invalid', `Cannot use port '${text}': give a number from 0 to 65535.`);
}

/** On a terminal among other output a log line is not loud enough. */
function shout(warnings: readonly string[]): void {
  for (const warning of warnings) {
    const rule = '!'.repeat(72);
    process.stderr.write(`${rule}\n!! ${warning}\n${rule}\n`);
  }
}

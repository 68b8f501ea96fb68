/** The command `oxbow`. Everything that fails ends with one readable sentence: code, cause, cure. */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { OxbowError } from '@oxbow/sdk/protocol';
import { backupCommand, restoreCommand } from './backup.js';
import { serve, type ServeFlags } from './serve.js';
import { mintToken, type TokenFlags } from './token.js';

export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('oxbow')
    .description('The server that Oxbow replicas sync to.')
    .version(versionOf());
  program.addCommand(serveCommand()).addCommand(tokenCommand());
  program.addCommand(backupCommand()).addCommand(restoreCommand());
  try {
    await program.parseAsync(argv);
  } catch (error) {
    console.error(explain(error));
    process.exitCode = 1;
  }
}

function serveCommand(): Command {
  return new Command('serve')
    .description('Serves an app: its log and state in one folder, clients over WebSocket at /sync.')
    .requiredOption('--app <file>', 'module that exports what defineApp returned (default, or as `app`)')
    .requiredOption('--data <folder>', 'folder for log and state, on a local disk')
    .option('--port <number>', 'port to listen on; 0 takes any', '8787')
    .option('--host <address>', 'interface to listen on; 0.0.0.0 for all', '127.0.0.1')
    .option('--jwt-secret-file <file>', 'secret that signs tokens (HS256), at least 32 bytes')
    .option('--jwt-public-key <file>', 'PEM public key that tokens are signed for (RSA, EC, Ed25519)')
    .option('--jwks <file-or-url>', 'key set that tokens are signed for')
    .option('--issuer <text>', 'the `iss` that tokens must have')
    .option('--audience <text>', 'the `aud` that tokens must have')
    .option('--dev-auth', 'take the token dev:ann for user ann: for development only')
    .option('--origin <origins...>', 'web origins whose pages may connect (default: any)')
    .addOption(new Option('--log-level <level>', 'least level that is logged')
      .choices(['debug', 'info', 'warn', 'error', 'silent']).default('info'))
    .action((flags: ServeFlags) => serve(flags));
}

function tokenCommand(): Command {
  return new Command('token')
    .description('Prints a token for tests and development, signed with a secret that the server shares.')
    .requiredOption('--user <name>', 'the user')
    .requiredOption('--space <patterns...>', 'spaces: `team-42`, `cal/*`; `=r` at the end: read only')
    .requiredOption('--secret-file <file>', 'the same file as --jwt-secret-file of serve')
    .option('--expires <time>', 'how long it is valid', '1h')
    .option('--issuer <text>', 'its `iss`')
    .option('--audience <text>', 'its `aud`')
    .action(async (flags: TokenFlags) => console.log(await mintToken(flags)));
}

/** What a person at a terminal needs: the code to look up, the sentence, and what lies beneath. */
export function explain(error: unknown): string {
  if (!(error instanceof OxbowError)) {
    const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return `oxbow: an error that nobody foresaw.\n${trace}`;
  }
  const cause = error.cause instanceof Error ? `\n  because: ${error.cause.message}` : '';
  return `oxbow: ${error.message}\n  code: ${error.code} (docs/errors.md)${cause}`;
}

function versionOf(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const value: unknown = JSON.parse(text);
  const version = typeof value === 'object' && value !== null && 'version' in value && value.version;
  return typeof version === 'string' ? version : 'unknown';
}

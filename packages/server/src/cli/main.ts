/**
 * The command `oxbow`. Everything that fails ends with one readable sentence: code, cause, cure.
 */
import { Command, CommanderError, Option } from 'commander';
import { OxbowError } from '@oxbow/sdk/protocol';
import { backupCommand, restoreCommand } from './backup.js';
import { SERVER_VERSION } from '../host/version.js';
import { clusterCommand } from './cluster.js';
import { serve, type ServeFlags } from './serve.js';
import { mintToken, type TokenFlags } from './token.js';

export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('oxbow')
    .description('The server that Oxbow replicas sync to.')
    .version(SERVER_VERSION);
  program.addCommand(serveCommand()).addCommand(tokenCommand());
  program.addCommand(backupCommand()).addCommand(restoreCommand()).addCommand(clusterCommand());
  try {
    await spoken(program).parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError && isAnswered(error)) process.exitCode = error.exitCode;
    else {
      console.error(explain(error));
      process.exitCode = 1;
    }
  }
}

/** What was typed wrongly ends like all that fails, not by a sentence of its own and an exit. */
function spoken(command: Command): Command {
  command.exitOverride().configureOutput({ outputError: () => undefined });
  for (const part of command.commands) spoken(part);
  return command;
}

/** Help or the version was printed. */
const isAnswered = ({ code }: CommanderError): boolean =>
  code === 'commander.help' || code === 'commander.helpDisplayed' || code === 'commander.version';

function serveCommand(): Command {
  return withClusterOptions(new Command('serve'))
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

function withClusterOptions(command: Command): Command {
  return command
    .option('--cluster <list>', 'all nodes of the group, the same on each: a=host:port,b=host:port,c=host:port')
    .option('--node <name>', 'which of them this one is')
    .option('--peer <host:port>', 'instead of --cluster: starts alone, others can be added while it serves')
    .option('--cluster-secret-file <file>', 'secret of at least 32 bytes by which nodes know each other (development)')
    .option('--cluster-tls-ca <file>', 'PEM: whose certificates nodes believe')
    .option('--cluster-tls-cert <file>', 'PEM: this node\'s certificate, issued for its name')
    .option('--cluster-tls-key <file>', 'PEM: its key')
    .option('--client-url <url>', 'where clients reach this node (default: where it listens)')
    .option('--peer-host <address>', 'interface for other nodes (default: loopback if the own address is, else all)')
    .option('--config <file>', 'the same as JSON: nodes, node, secretFile or tls')
    .option('--admin-token-file <file>', 'opens /cluster (default: made of the cluster\'s secret)');
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
  if (error instanceof CommanderError) return explain(mistyped(error));
  if (!(error instanceof OxbowError)) {
    const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return `oxbow: an error that nobody foresaw.\n${trace}`;
  }
  const cause = error.cause instanceof Error ? `\n  because: ${error.cause.message}` : '';
  return `oxbow: ${error.message}\n  code: ${error.code} (docs/errors.md)${cause}`;
}

function mistyped({ message }: CommanderError): OxbowError {
  const sentence = message.replace(/^error: /u, '').replace(/\s*\n\s*/gu, ' ');
  const said = `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`;
  return new OxbowError('config-invalid', `${said}${/[.)]$/u.test(said) ? '' : '.'} \`--help\` lists what there is.`);
}

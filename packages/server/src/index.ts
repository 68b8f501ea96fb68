/**
 * `@oxbow/server`: the node that replicas sync to, for programs that run it themselves. The command
 * `oxbow serve` does the same from a shell.
 */
export { createServer } from './host/create-server.js';
export type { OxbowServer, ServerOptions } from './host/create-server.js';
export type { AuthOptions, Authorize, KeyOptions, TokenRules } from './drivers/auth.js';
export { createLogger, silentLogger } from './drivers/log.js';
export type { Logger, LoggerOptions } from './drivers/log.js';
export type { Claims } from './node/effects.js';
export type { NodeLimits } from './node/limits.js';
export { OxbowError } from '@oxbow/sdk/protocol';

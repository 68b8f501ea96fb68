/**
 * Structured logs through pino, one JSON object per line on standard output. Tokens and secrets are
 * not given to the logger in the first place; the list below is the second fence.
 */
import { pino } from 'pino';
import type { LogLevel } from '../node/effects.js';

/** What the server writes its log to. `event` is a stable name, `fields` are its facts. */
export interface Logger {
  log(level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>): void;
}

export const silentLogger: Logger = { log: () => undefined };

const SECRETS = ['token', 'secret', 'authorization', 'jwt', 'password', 'key'];

export interface LoggerOptions {
  readonly level: LogLevel | 'silent';
  /** Default: standard output. */
  readonly write?: (line: string) => void;
}

export function createLogger(options: LoggerOptions): Logger {
  const { write } = options;
  const paths = SECRETS.flatMap((name) => [name, `*.${name}`]);
  const settings = {
    level: options.level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths, censor: '[secret]' },
  };
  const sink = write === undefined ? pino(settings) : pino(settings, { write });
  return { log: (level, event, fields) => sink[level]({ event, ...described(fields) }) };
}

/** Errors have no enumerable fields; what they say would be lost. */
function described(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? pino.stdSerializers.errWithCause(value) : value,
    ]),
  );
}

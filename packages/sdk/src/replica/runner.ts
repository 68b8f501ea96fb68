/**
 * Executes updates and queries of one space: everything that is the same for all of them is bound
 * here once.
 */
import { execute, liftArgs, observe, parseArgs } from '../model/index.js';
import type {
  AppDefinition, Execution, Guard, Observed, ParsedArgs, Reader, ReadTx, TxCore,
} from '../model/index.js';
import { OxbowError } from '../protocol/index.js';
import type { Update, Value } from '../protocol/index.js';
import type { LogEntry } from './log.js';

export interface RunnerConfig<A extends AppDefinition> {
  readonly app: A;
  /** Freeze rows, report what is not deterministic. */
  readonly dev: boolean;
  readonly guard?: Guard | undefined;
}

export class Runner<A extends AppDefinition = AppDefinition> {
  readonly app: A;
  readonly dev: boolean;
  readonly #guard: Guard | undefined;
  #running = false;

  constructor({ app, dev, guard }: RunnerConfig<A>) {
    this.app = app;
    this.dev = dev;
    this.#guard = guard;
  }

  /** A mutation or a query runs right now: nothing may be written from within it. */
  get isRunning(): boolean {
    return this.#running;
  }

  parse({ name, version, args }: Pick<Update, 'name' | 'version' | 'args'>): ParsedArgs {
    return parseArgs(this.app, name, version, args);
  }

  /**
   * Arguments in the form of the present version. Errors: `mutation-unknown` where they are of a
   * newer one, `mutation-outdated` where nothing lifts them any more.
   */
  lift({ name, version, args }: Pick<Update, 'name' | 'version' | 'args'>): Value {
    const definition = this.app.definitions.get(name);
    if (definition === undefined || version > (definition.version ?? 1)) {
      throw new OxbowError('mutation-unknown', `A newer version of the app did '${name}'. Reload to get it.`);
    }
    const lifted = liftArgs(definition, version, args);
    if (lifted.version === (definition.version ?? 1)) return lifted.args;
    throw new OxbowError(
      'mutation-outdated', `'${name}' no longer lifts version ${version}. Write it anew.`,
    );
  }

  run(entry: LogEntry, reader: Reader): Execution {
    const { update, user } = entry;
    const parsed = (entry.parsed ??= this.parse(update));
    const { dev } = this;
    const guard = this.#guard;
    const was = this.#running;
    this.#running = true;
    try {
      const { refusal } = entry;
      const invocation = { update, user, side: 'client', dev, parsed, refusal } as const;
      return execute(this.app, reader, guard === undefined ? invocation : { ...invocation, guard });
    } finally {
      this.#running = was;
    }
  }

  /** What `fn` throws is in the result. */
  observe<R>(reader: Reader, fn: (tx: ReadTx<A>) => R): Observed<R> {
    const was = this.#running;
    this.#running = true;
    try {
      // reason: the app's transactions have a getter for each table that A names (model/tx.ts).
      return observe(this.app, reader, fn as unknown as (tx: TxCore) => R);
    } finally {
      this.#running = was;
    }
  }
}

/**
 * A replica may run a newer version of the app than the state that it holds: it was updated first,
 * perhaps offline. It then shows each row lifted (model/form.ts), and keeps and passes on what it
 * was given: no disk is rewritten, no row can be lifted twice, and an older version of the app
 * finds everything as it left it.
 */
import {
  FIRST_FORM, formAt, formIn, formOf, hasSteps, liftRow,
  type AppDefinition, type Form,
} from '../model/index.js';
import { OxbowError } from '../protocol/index.js';
import type { Effect, KeyText, PageRow, Row } from '../protocol/index.js';

export class Lifting {
  readonly #app: AppDefinition;
  readonly #report: (error: OxbowError) => void;
  /** Lifted rows, and what they were made of. */
  readonly #given = new WeakMap<Row, Row>();
  #form: Form = FIRST_FORM;
  /** Nothing is left to lift: rows are shown as they were given. */
  #isIdle: boolean;
  #isTold = false;

  constructor(app: AppDefinition, report: (error: OxbowError) => void) {
    this.#app = app;
    this.#report = report;
    this.#isIdle = !hasSteps(app, FIRST_FORM.version);
  }

  /** Before the rows of a base: the form that they say they are of. */
  begin(rows: { row(table: string, key: KeyText): Row | undefined }): void {
    this.#become(formOf(rows));
  }

  get isIdle(): boolean {
    return this.#isIdle;
  }

  /** Rows of the base. */
  rows(table: string, rows: Iterable<PageRow>): Iterable<PageRow> {
    return this.#isIdle ? rows : this.#shown(table, rows);
  }

  *#shown(table: string, rows: Iterable<PageRow>): Generator<PageRow, void, undefined> {
    for (const [key, row] of rows) {
      yield [key, this.#lifted(table, row, formAt(this.#form, table, key))];
    }
  }

  /** What a commit does, as it is shown here. */
  effects(given: readonly Effect[]): readonly Effect[] {
    const form = formIn(given);
    if (form !== undefined) this.#become(form);
    if (this.#isIdle) return given;
    return given.map((effect) => {
      const { table, key, row } = effect;
      if (row === null) return effect;
      const lifted = this.#lifted(table, row, this.#form.version);
      return lifted === row ? effect : { table, key, row: lifted };
    });
  }

  /**
   * The rows that stand there now came of these: an equal row may have stood there before, made of
   * another one.
   */
  laidIn(laid: readonly Effect[], shown: readonly Effect[], given: readonly Effect[]): void {
    laid.forEach(({ row }, i) => {
      const old = given[i]?.row;
      if (!row || !old) return;
      if (shown[i]?.row === old) this.#given.delete(row);
      else this.#given.set(row, old);
    });
  }

  /** What a shown row was made of. */
  given(row: Row): Row {
    return this.#given.get(row) ?? row;
  }

  #lifted(table: string, row: Row, from: number): Row {
    const shape = this.#app.shapes.get(table);
    if (shape === undefined || from >= this.#app.version) return row;
    try {
      const lifted = liftRow(shape, row, from, this.#app.version);
      if (lifted !== row) this.#given.set(lifted, row);
      return lifted;
    } catch (cause) {
      const problem = `A row of '${table}' could not be migrated. It stays as it was.`;
      this.#report(new OxbowError('bad-migration', problem, { cause }));
      return row;
    }
  }

  #become(form: Form): void {
    const { version, from = version } = form;
    this.#form = form;
    this.#isIdle = !hasSteps(this.#app, Math.min(version, from));
    if (form.version <= this.#app.version || this.#isTold) return;
    this.#isTold = true;
    this.#report(new OxbowError(
      'app-outdated',
      `The data is of version ${form.version} of the app, this is version ${this.#app.version}. ` +
        'What was written here is safe and goes out; reload for the newer one.',
    ));
  }
}

/** What stands behind `tx.<table>`. The typed face of it is `TableTx` (inference.ts). */
import { OxbowError } from '../protocol/index.js';
import type { Row, Value } from '../protocol/index.js';
import { copiedUnits, copyValue } from './copy.js';
import { freezeValue } from './freeze.js';
import { keyText } from './key.js';
import { PRIMARY } from './reader.js';
import { Scan } from './scan.js';
import type { ScanIndex } from './scan.js';
import { issuesText, validate } from './schema.js';
import { TablePart } from './table-part.js';
import { checkIndexed, keyOfRow } from './table-shape.js';
import type { TableShape } from './table-shape.js';
import type { Transaction } from './transaction.js';

const BY_KEY: ScanIndex = { name: PRIMARY, parts: 1 };

export class TableAccess {
  readonly #part: TablePart;

  constructor(transaction: Transaction, shape: TableShape) {
    this.#part = new TablePart(transaction, shape);
  }

  get(key: Value): Row | undefined {
    return this.#part.row(keyText(key));
  }

  has(key: Value): boolean {
    return this.#part.row(keyText(key)) !== undefined;
  }

  put(row: object): void {
    this.#part.transaction.stepToWrite();
    this.#store(row);
  }

  update(key: Value, patch: object): void {
    this.#part.transaction.stepToWrite();
    const text = keyText(key);
    const old = this.#part.row(text);
    const { name, key: field } = this.#part.shape;
    if (old === undefined) {
      throw new OxbowError(
        'row-missing',
        `Cannot update in '${name}': there is no row with the key ${String(key)}. Put one, or check first.`,
      );
    }
    const row: Row = { ...old, ...patch };
    if (keyText(row[field]) !== text) throw badRow(name, `an update cannot change its '${field}'`);
    this.#store(row);
  }

  delete(key: Value): void {
    this.#part.transaction.stepToWrite();
    this.#part.write(keyText(key), null, 1);
  }

  all(): Row[] {
    return this.scan().all();
  }

  scan(): Scan {
    return new Scan(this.#part, BY_KEY);
  }

  index(name: string): Scan {
    const { shape } = this.#part;
    const index = shape.indexes.find((candidate) => candidate.name === name);
    if (index !== undefined) return new Scan(this.#part, { name, parts: index.fields.length + 1 });
    throw new OxbowError('bad-query', `Table '${shape.name}' has no index '${name}'.`);
  }

  #store(input: object): void {
    const { shape, transaction } = this.#part;
    const row = asRow(copyValue(validRow(shape, input), transaction.dev), shape.name);
    const units = copiedUnits();
    const key = keyOfRow(shape, row);
    checkIndexed(shape, row);
    if (transaction.dev) freezeValue(row);
    this.#part.write(key, row, units);
  }
}

function validRow(shape: TableShape, input: object): Value {
  if (shape.schema === undefined) return input;
  const result = validate(shape.schema, input);
  if (result.ok) return result.value;
  throw badRow(shape.name, issuesText(result.issues));
}

function asRow(value: Value, table: string): Row {
  const plain =
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  if (!plain) throw badRow(table, 'a row is a plain object');
  // reason: a plain object, as just checked.
  return value as Row;
}

const badRow = (table: string, problem: string): OxbowError =>
  new OxbowError('bad-row', `Cannot write to '${table}': ${problem}.`);

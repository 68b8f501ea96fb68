/**
 * What must be true of a run, whatever went wrong in it. Each checker takes plain records and
 * throws a `Violation` that names the promise; docs/guarantees.md lists them. `truth` is the
 * server's chosen log, recorded as it was chosen.
 */
import { FORM_TABLE, formIn } from '@oxbow/sdk/model';
import { updateKey, type CommitEntry, type Effect, type UpdateId } from '@oxbow/sdk/protocol';

export class Violation extends Error {
  readonly promise: string;
  constructor(promise: string, what: string) {
    super(`${promise}: ${what}`);
    this.promise = promise;
  }
}

function must(condition: boolean, promise: string, what: () => string): void {
  if (!condition) throw new Violation(promise, what());
}

/** The truth by csn and by update, and the promises that hold of the order itself. */
export class Truth {
  readonly entries: CommitEntry[] = [];
  readonly csnByUpdate = new Map<string, number>();
  readonly #seqByReplica = new Map<string, number>();
  /** By arguments, of which the workload never draws the same twice. */
  readonly #keyByWish = new Map<string, string>();
  readonly #isOnce: boolean;
  /** The order that a restored server has forgotten from some csn on, and the history it was of. */
  #former: { readonly history: string; readonly truth: Truth } | undefined;

  /** `isOnce`: what was asked for once must be done once (docs/guarantees.md says where not). */
  constructor({ isOnce = true }: { readonly isOnce?: boolean } = {}) {
    this.#isOnce = isOnce;
  }

  /** The order that a server goes on with which is restored to that csn. `history`: of this one. */
  restoredTo(csn: number, history: string): Truth {
    const restored = new Truth({ isOnce: this.#isOnce });
    for (const entry of this.entries.slice(0, csn)) restored.chosen(entry);
    restored.#former = { history, truth: this };
    return restored;
  }

  /** The order as whoever holds that history has it. */
  of(history: string): Truth {
    const former = this.formers.find((each) => each.history === history);
    return former?.truth ?? this;
  }

  /** What was in the order before a restore, the newest first. */
  get formers(): readonly { readonly history: string; readonly truth: Truth }[] {
    return this.#former === undefined ? [] : [this.#former, ...this.#former.truth.formers];
  }

  /** It was committed once, whatever became of that. */
  everHeld(key: string): boolean {
    return this.csnByUpdate.has(key) || this.#former?.truth.everHeld(key) === true;
  }

  get(key: string): CommitEntry | undefined {
    return this.entries[(this.csnByUpdate.get(key) ?? 0) - 1];
  }

  /**
   * Called once per chosen entry, in the order of choosing, and again for replays after a crash.
   */
  chosen(entry: CommitEntry): void {
    const known = this.entries[entry.csn - 1];
    if (known !== undefined) {
      mustBeSame(known, entry, 'a chosen entry never changes');
      return;
    }
    must(entry.csn === this.entries.length + 1, 'csn is dense', () => `${entry.csn} after ${this.entries.length}`);
    const key = updateKey(entry.id);
    must(!this.csnByUpdate.has(key), 'every update has one csn', () => `${key} at ${this.csnByUpdate.get(key)} and ${entry.csn}`);
    this.#mustFollowItsReplica(entry);
    this.#mustFollowItsContext(entry);
    if (this.#isOnce) this.#mustBeAskedOnce(entry);
    mustNotFailForItsVersion(entry);
    const last = this.entries.at(-1);
    must(last === undefined || last.at <= entry.at, 'commit timestamps never decrease', () => `csn ${entry.csn}`);
    this.entries.push(entry);
    this.csnByUpdate.set(key, entry.csn);
    this.#seqByReplica.set(entry.id.replica, entry.id.seq);
  }

  /** All rows are of that version of the app. */
  isOf(version: number): boolean {
    const forms = this.entries.map(({ effects }) => formIn(effects)).filter((form) => form !== undefined);
    const { version: last, from } = forms.at(-1) ?? { version: this.entries.length === 0 ? version : 1 };
    return last === version && from === undefined;
  }

  /** Issuing an update anew under another id must not do twice what was asked for once. */
  #mustBeAskedOnce(entry: CommitEntry): void {
    const key = updateKey(entry.id);
    // Who forgets that he has taken something back may do it again.
    if (entry.body?.needs?.undoes !== undefined) return;
    const wish = canonical([entry.body?.name, entry.body?.args]);
    const other = this.#keyByWish.get(wish);
    must(other === undefined, 'what was asked for once is done once', () => `${wish} as ${other} and ${key}`);
    this.#keyByWish.set(wish, key);
  }

  #mustFollowItsReplica(entry: CommitEntry): void {
    const last = this.#seqByReplica.get(entry.id.replica) ?? 0;
    must(entry.id.seq === last + 1, "a replica's updates commit in order", () => `${updateKey(entry.id)} after seq ${last}`);
  }

  #mustFollowItsContext(entry: CommitEntry): void {
    const context = entry.body?.context;
    if (context === undefined) return;
    must(context.csn < entry.csn, 'causal order holds', () => `${updateKey(entry.id)} saw csn ${context.csn}, has ${entry.csn}`);
    for (const [replica, seq] of Object.entries(context.vector)) {
      must((this.#seqByReplica.get(replica) ?? 0) >= seq, 'causal order holds', () =>
        `${updateKey(entry.id)} saw ${replica}/${seq}, which is not committed before it`);
    }
  }
}

/** Codes of code that does not fit the update: there is always some that does. */
const MISFITS: ReadonlySet<string> = new Set(['mutation-unknown', 'mutation-outdated', 'args-invalid']);

function mustNotFailForItsVersion({ id, outcome }: CommitEntry): void {
  const isMisfit = outcome.kind === 'rejected' && MISFITS.has(outcome.code);
  must(!isMisfit, 'no update is refused for the version that it was written by', () => updateKey(id));
}

function mustBeSame(a: CommitEntry, b: CommitEntry, promise: string): void {
  const same = a.csn === b.csn && updateKey(a.id) === updateKey(b.id)
    && canonical(a.outcome) === canonical(b.outcome)
    && canonical(a.effects) === canonical(b.effects);
  must(same, promise, () => `csn ${a.csn}: ${JSON.stringify(a)} / ${JSON.stringify(b)}`);
}

/**
 * No acknowledged commit is lost or altered: what a replica was told is what the server's log says.
 */
export function checkLearned(truth: Truth, client: string, entry: CommitEntry): void {
  const known = truth.entries[entry.csn - 1];
  must(known !== undefined, 'no acknowledged commit is lost', () => `${client} knows csn ${entry.csn} of ${updateKey(entry.id)}`);
  if (known !== undefined) mustBeSame(known, entry, 'no acknowledged commit is lost');
}

/**
 * What was committed under an id is what its author wrote under it, and the author is told what
 * came of it; or that this is not known any more, which claims nothing but that the id is settled.
 */
export function checkReceipt(truth: Truth, receipt: {
  readonly id: UpdateId; readonly name: string; readonly args: unknown;
  readonly outcome: { readonly kind: string };
}): void {
  const key = updateKey(receipt.id);
  // What the app was told stays said, though a restored server has forgotten it.
  const entry = truth.get(key) ?? truth.formers.map((each) => each.truth.get(key)).find(Boolean);
  must(entry !== undefined, 'a receipt says what is so', () => `${key} is in no log`);
  if (receipt.outcome.kind === 'unknown') return;
  const committed = canonical([entry?.body?.name, entry?.body?.args, entry?.outcome]);
  const told = canonical([receipt.name, receipt.args, receipt.outcome]);
  must(committed === told, 'a receipt says what is so', () => `${key}: ${committed} / ${told}`);
}

/** Every update that was saved at a client whose disk survives is committed, once it could be. */
export function checkSaved(truth: Truth, saved: ReadonlyMap<string, string>): void {
  for (const [key, client] of saved) {
    must(truth.csnByUpdate.has(key), 'no saved update is lost', () => `${key}, saved at ${client}, is in no log`);
  }
}

/** What a client's people can see of updates that a restored server has forgotten. */
export interface ToldOfRestores {
  /** In the inbox as rolled back, or put aside there. */
  readonly keys: ReadonlySet<string>;
  /** Reported as no longer known. */
  readonly counted: number;
}

/**
 * Every update that was saved is committed; or it was, and its author is told that the server was
 * restored to a state from before that. What had been refused left nothing to be missed.
 */
export function checkRolledBack(
  truth: Truth, saved: ReadonlyMap<string, string>, { keys, counted }: ToldOfRestores,
): void {
  const missing = [...saved.keys()].filter((key) => {
    if (truth.csnByUpdate.has(key) || keys.has(key)) return false;
    return !truth.formers.some((former) => former.truth.get(key)?.outcome.kind === 'rejected');
  });
  must(missing.length <= counted, 'a restored server forgets nothing silently', () =>
    `of ${missing.join(', ')} only ${counted} are spoken of at ${[...saved.values()][0]}`);
}

export type RowsByTable = Readonly<Record<string, readonly (readonly [key: string, row: unknown])[]>>;

/** The rows that the server's order leads to. */
export function rowsAfter(entries: readonly CommitEntry[]): RowsByTable {
  const tables = new Map<string, Map<string, unknown>>();
  const apply = (effect: Effect): void => {
    // What only servers speak of.
    if (effect.table === FORM_TABLE) return;
    const table = tables.get(effect.table) ?? new Map<string, unknown>();
    tables.set(effect.table, table);
    if (effect.row === null) table.delete(effect.key);
    else table.set(effect.key, effect.row);
  };
  for (const entry of entries) entry.effects.forEach(apply);
  const rows: Record<string, readonly (readonly [string, unknown])[]> = {};
  for (const [name, table] of tables) {
    rows[name] = [...table].sort(([a], [b]) => (a < b ? -1 : 1));
  }
  return rows;
}

export function checkEqualRows(a: RowsByTable, b: RowsByTable, promise: string): void {
  for (const table of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const left = new Map(a[table] ?? []);
    const right = new Map(b[table] ?? []);
    for (const key of new Set([...left.keys(), ...right.keys()])) {
      const [l, r] = [canonical(left.get(key)), canonical(right.get(key))];
      must(l === r, promise, () => `${table}/${key}: ${l} / ${r}`);
    }
  }
}

/** The app's invariant: at most one booking for a room and hour. */
export function checkNoDoubleBooking(rows: RowsByTable, where: string): void {
  const taken = new Map<string, string>();
  for (const [key, row] of rows['booking'] ?? []) {
    // reason: rows of the simulated app's booking table.
    const { room, hour } = row as { room: string; hour: number };
    const slot = `${room} at ${hour}`;
    const other = taken.get(slot);
    must(other === undefined, 'no room is booked twice', () => `${where}: ${slot} by ${other} and ${key}`);
    taken.set(slot, key);
  }
}

/** Exactly-once, seen from the app: each counter is the sum of the additions that were applied. */
export function checkCounters(truth: Truth, rows: RowsByTable): void {
  const sums = new Map<string, number>();
  for (const entry of truth.entries) {
    if (entry.body?.name !== 'add' || entry.outcome.kind !== 'applied') continue;
    // reason: arguments of the simulated app's own mutation.
    const { id, by, amount } = entry.body.args as { id: string; by?: number; amount?: number };
    sums.set(id, (sums.get(id) ?? 0) + (by ?? amount ?? NaN));
  }
  const counted = new Map((rows['counter'] ?? []).map(([key, row]) =>
    // reason: rows of the simulated app's counter table.
    [key, (row as { total: number }).total]));
  for (const [id, sum] of sums) {
    must(counted.get(id) === sum, 'each update is applied once', () => `counter ${id} is ${counted.get(id)}, not ${sum}`);
  }
}

/**
 * Rows as a client of version 2 shows them: each counter is lifted once, by the server's commits or
 * by itself.
 */
export function liftedRows(rows: RowsByTable): RowsByTable {
  const counter = (rows['counter'] ?? []).map(([key, row]) =>
    // reason: rows of the simulated app's counter table.
    [key, { lifts: 1, ...(row as object) }] as const);
  return { ...rows, counter };
}

/** A row is lifted once, whoever led meanwhile. */
export function checkLifts(rows: RowsByTable, isAllLifted: boolean): void {
  for (const [key, row] of rows['counter'] ?? []) {
    // reason: as above.
    const { lifts } = row as { readonly lifts?: number };
    const isRight = lifts === 1 || (!isAllLifted && lifts === undefined);
    must(isRight, 'a row is lifted once', () => `counter ${key} was lifted ${lifts ?? 0} times`);
  }
}

/** What is taken back is taken back once, by whoever remembers what he has done. */
export function checkUndos({ entries }: Truth): void {
  const undone = new Map<string, string>();
  for (const { id, body } of entries) {
    const undoes = body?.needs?.undoes;
    if (undoes === undefined) continue;
    const other = undone.get(updateKey(undoes));
    must(other === undefined, 'what is taken back is taken back once', () =>
      `${updateKey(undoes)} by ${other} and ${updateKey(id)}`);
    undone.set(updateKey(undoes), updateKey(id));
  }
}

/**
 * What stands on something that was refused is refused, with the code of its policy; and never
 * without such a reason.
 */
export function checkNeeds({ entries, csnByUpdate }: Truth): void {
  for (const { id, outcome, body } of entries) {
    const needs = body?.needs;
    const code = outcome.kind === 'rejected' ? outcome.code : '';
    const isByNeeds = code.startsWith('dependency-');
    const needed = Object.entries(needs?.seqs ?? {}).flatMap(([replica, seqs]) =>
      // reason: Object.entries forgets the branded key type.
      seqs.map((seq) => entries[(csnByUpdate.get(updateKey({ replica: replica as UpdateId['replica'], seq })) ?? 0) - 1]));
    const isRefused = needed.some((entry) => entry?.outcome.kind === 'rejected');
    // Nobody remembers for ever.
    if (code === 'dependency-unknown' && needed.length > 0) continue;
    must(isByNeeds === isRefused, 'what stands on a refused update falls with it, and nothing else', () =>
      `${updateKey(id)} is ${JSON.stringify(outcome)}, needs ${JSON.stringify(needs)}`);
    const expected = needs?.policy === 'review' ? 'dependency-review' : 'dependency-refused';
    must(!isByNeeds || code === expected, 'it falls by the policy that its author chose', () => `${updateKey(id)}: ${code}`);
  }
}

/** Monotonic reads and read-your-writes of one run of a client between two crashes. */
export class SessionChecker {
  readonly #client: string;
  readonly #truth: Truth;
  #csn = 0;
  /** By receipt, as an update may be issued anew under another id. */
  readonly #own = new Set<{ readonly id: UpdateId }>();

  constructor(client: string, truth: Truth) {
    this.#client = client;
    this.#truth = truth;
  }

  wrote(receipt: { readonly id: UpdateId }): void {
    this.#own.add(receipt);
  }

  /** `held`: the keys of the updates that are pending. */
  read(csn: number, held: ReadonlySet<string>): void {
    must(csn >= this.#csn, 'reads are monotonic', () => `${this.#client} went from csn ${this.#csn} to ${csn}`);
    this.#csn = csn;
    for (const receipt of this.#own) {
      const key = updateKey(receipt.id);
      const isSettled = (this.#truth.csnByUpdate.get(key) ?? Infinity) <= csn;
      must(isSettled || held.has(key), 'one reads what one wrote', () => `${this.#client} no longer holds ${key}`);
      if (isSettled) this.#own.delete(receipt);
    }
  }
}

/** Text that is equal for equal values, whatever the order of their fields. */
export function canonical(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'undefined';
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join(',')}}`;
}

/**
 * Bounds of one execution and of what it may store. They are counted, never timed, so that a
 * mutation that exceeds one is rejected alike on every replica (Terry et al., SOSP'95 §4.3:
 * resource bounds are uniform).
 */
import { invariant, limits } from '../protocol/index.js';

const KI = 1024;

export const modelLimits = {
  /**
   * One key or one indexed field as key text, in UTF-16 code units. Error: `bad-key`. With the
   * names of space and table it must stay a key that every store takes.
   */
  keyCharsMax: 400,
  /** Fields of one index. Error: `bad-app`. */
  indexFieldsMax: 8,
  indexesPerTableMax: 32,
  tablesMax: 256,
  mutationsMax: 1024,
  /** Names of tables, indexes and mutations. Error: `bad-app`. */
  nameCharsMax: 64,

  /** Reads, writes and rows met in scans by one execution. Rejection: `limit-exceeded`. */
  stepsMax: 200_000,
  /** Keys written by one execution. Rejection: `limit-exceeded`. */
  writesMax: 10_000,
  /** What one execution may write, as `copyValue` counts: a unit per value and per char of text. */
  writeUnitsMax: 1536 * KI,
  /** What one value may weigh, counted alike. Error: `value-too-large`. */
  valueUnitsMax: 1024 * KI,
  /** Alternatives offered by one update. Rejection: `limit-exceeded`. */
  alternativesMax: 1000,
  /** Chars kept of the message of a mutation that threw. */
  messageCharsMax: 500,
  /** Schema issues told about one value. */
  issuesMax: 10,
} as const;

invariant(modelLimits.keyCharsMax <= limits.keyCharsMax, 'a frame carries any key');
invariant(modelLimits.writesMax <= limits.effectsPerEntryMax, 'an entry carries any execution');
invariant(modelLimits.nameCharsMax <= limits.tableCharsMax, 'a frame carries any table name');
invariant(modelLimits.nameCharsMax <= limits.nameCharsMax, 'a frame carries any mutation name');
invariant(modelLimits.valueUnitsMax <= limits.rowCharsMax, 'a row is bounded before it is text');
invariant(
  modelLimits.writeUnitsMax + limits.updateCharsMax <= limits.entryCharsMax,
  'an entry has room for the effects beside the body',
);
invariant(modelLimits.stepsMax >= modelLimits.writesMax, 'every write is a step');

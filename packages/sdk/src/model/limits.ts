/**
 * Bounds of one execution and of what it may store. They are counted, never timed, so that a
 * mutation that exceeds one is rejected alike on every replica (Terry et al., SOSP'95 §4.3:
 * resource bounds are uniform). limits.test.ts holds how they relate. Import it as a namespace.
 */

const KI = 1024;

/**
 * One key or one indexed field as key text, in UTF-16 code units. Error: `bad-key`. With the
 * names of space and table it must stay a key that every store takes.
 */
export const keyCharsMax = 400;
/** Fields of one index. Error: `bad-app`. */
export const indexFieldsMax = 8;
export const indexesPerTableMax = 32;
export const tablesMax = 256;
export const mutationsMax = 1024;
/** Names of tables, indexes and mutations. Error: `bad-app`. */
export const nameCharsMax = 64;

/** Reads, writes and rows met in scans by one execution. Rejection: `limit-exceeded`. */
export const stepsMax = 200_000;
/** Keys written by one execution. Rejection: `limit-exceeded`. */
export const writesMax = 10_000;
/** What one execution may write, as `copyValue` counts: a unit per value and per char of text. */
export const writeUnitsMax = 1536 * KI;
/** What one value may weigh, counted alike. Error: `value-too-large`. */
export const valueUnitsMax = 1024 * KI;
/** Alternatives offered by one update. Rejection: `limit-exceeded`. */
export const alternativesMax = 1000;
/** Chars kept of the message of a mutation that threw. */
export const messageCharsMax = 500;
/** Schema issues told about one value. */
export const issuesMax = 10;

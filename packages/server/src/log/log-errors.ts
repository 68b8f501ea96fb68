/** What the write-ahead log says when it cannot be read or written, each with its cure. */
import { OxbowError } from '@oxbow/sdk/protocol';

export const unreadable = (what: string, cause: Error): OxbowError =>
  new OxbowError(
    'log-unreadable',
    `Cannot read ${what}: ${cause.message}. Mend the disk or the file's permissions, then start again.`,
    { cause },
  );

export const otherLayout = (name: string): OxbowError =>
  new OxbowError(
    'log-unreadable',
    `Segment '${name}' was written by another version of this program, in a layout that this one does not know. ` +
      'Start the version that wrote it.',
  );

export const damaged = (name: string, offset: number): OxbowError =>
  new OxbowError(
    'log-damaged',
    `Segment '${name}' is damaged at byte ${offset}: a record that was on disk cannot be read, and later ones exist. ` +
      'Nothing was changed. Restore the data directory from a backup, or the segment from a copy of the disk.',
  );

export const lostSegment = (what: string): OxbowError =>
  new OxbowError(
    'log-damaged',
    `A segment of the log is missing: ${what}. ` +
      'Nothing was changed. Put the file back, or restore the data directory from a backup.',
  );

/** A driver's own error has its code and cure already. */
export const failed = (cause: Error): OxbowError =>
  cause instanceof OxbowError
    ? cause
    : new OxbowError(
        'log-failed',
        `The log could not be written: ${cause.message}. What was told as committed is safe. Mend the disk, then start again.`,
        { cause },
      );

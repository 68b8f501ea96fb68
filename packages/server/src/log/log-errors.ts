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

export const logBehind = (lastSlot: number, appliedSlot: number): OxbowError =>
  new OxbowError(
    'log-behind-state',
    `The log ends at slot ${lastSlot} but the state stands at slot ${appliedSlot}: log files were lost. ` +
      'Put them back, or restore log and state together from a backup.',
  );

export const logMissing = (cluster: string, appliedSlot: number): OxbowError =>
  new OxbowError(
    'log-behind-state',
    `There is no log, but the state belongs to cluster '${cluster}' and stands at slot ${appliedSlot}: ` +
      'the log was lost. Put it back, or restore log and state together from a backup.',
  );

export const stateBehind = (appliedSlot: number, trimmed: number): OxbowError =>
  new OxbowError(
    'state-behind-log',
    `The state stands at slot ${appliedSlot} but the log begins after slot ${trimmed}: the state was lost or is older. ` +
      'Put the newer state back, or restore log and state together from a backup.',
  );

export const removed = (cluster: string): OxbowError =>
  new OxbowError(
    'removed',
    `This node was voted out of cluster '${cluster}'. To let it in again, give it an empty data directory and add it.`,
  );

const LOSSES = new Set(['log-damaged', 'log-behind-state', 'state-behind-log']);

/** Whether a member that meets this error may have forgotten what it promised, or what it holds. */
export const isLoss = ({ code }: OxbowError): boolean => LOSSES.has(code);

export function asOxbowError(cause: unknown): OxbowError {
  if (cause instanceof OxbowError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new OxbowError('invariant', `The log stopped at an error that nobody foresaw: ${why}`, {
    cause,
  });
}

/**
 * What a slot may hold besides entries: a word of the nodes among themselves. Entries are a JSON
 * list, as they always were; a command is a JSON object, so its first byte tells.
 */

/** All replicas are to take the digest of their state at exactly this command's slot. */
export interface CheckCommand {
  readonly kind: 'check-state';
}

/** Of no entries: the pipeline's own tags count from 1. */
export const COMMAND_TAG = 0;

const OBJECT_BEGINS = 0x7b;
const CHECK_TEXT = '{"kind":"check-state"}';

export function encodeCommand(): Uint8Array {
  return Uint8Array.from(CHECK_TEXT, (char) => char.charCodeAt(0));
}

export const isCommand = (payload: Uint8Array): boolean => payload[0] === OBJECT_BEGINS;

/** Undefined: of a newer program, which knows what it means; the state does not. */
export function decodeCommand(payload: Uint8Array): CheckCommand | undefined {
  const isCheck = payload.length === CHECK_TEXT.length &&
    payload.every((byte, at) => byte === CHECK_TEXT.charCodeAt(at));
  return isCheck ? { kind: 'check-state' } : undefined;
}

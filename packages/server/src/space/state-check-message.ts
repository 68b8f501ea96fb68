/**
 * The words of a state check as JSON: rare and small. Shares the bulk channel, whose other frames
 * never begin with a brace.
 */
import { OxbowError } from '@oxbow/sdk/protocol';
import type { CheckMessage } from './state-check.js';

/** Larger than any of them. */
const TEXT_CHARS_MAX = 256;
const BRACE = 0x7b;
const HEX = /^[0-9a-f]{64}$/;

export const isCheckFrame = (frame: Uint8Array): boolean => frame[0] === BRACE;

export function encodeCheckMessage(message: CheckMessage): Uint8Array {
  return Uint8Array.from(JSON.stringify(message), (char) => char.charCodeAt(0));
}

/** Errors: `bad-message`. */
export function decodeCheckMessage(frame: Uint8Array): CheckMessage {
  const { kind, slot, hex } = fieldsOf(frame);
  const isSlot = typeof slot === 'number' && Number.isSafeInteger(slot) && slot >= 0;
  const isHex = typeof hex === 'string' && HEX.test(hex);
  if (isSlot && kind === 'state-digest' && (isHex || hex === null)) return { kind, slot, hex };
  if (isSlot && kind === 'state-verdict' && isHex) return { kind, slot, hex };
  throw bad();
}

function fieldsOf(frame: Uint8Array): Readonly<Record<string, unknown>> {
  if (frame.length > TEXT_CHARS_MAX) throw bad();
  try {
    const value: unknown = JSON.parse(String.fromCharCode(...frame));
    // reason: any object can be read by name.
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw bad();
}

function bad(): OxbowError {
  return new OxbowError('bad-message', 'These bytes are no word of a state check.');
}

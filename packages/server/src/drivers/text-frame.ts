/**
 * A text frame as the server sends it (RFC 6455 §5.2: whole, not masked), head and text in one
 * piece. `ws` writes the two one after the other, with a gathering system call for each; where
 * every commit is a frame of its own to its author, that is a tenth of the node's work.
 */
const FIN_TEXT = 0x81;
const SHORT_MAX = 125;
const WIDE = 126;
const WIDE_MAX = 0xffff;
const WIDER = 127;

export function textFrame(text: string): Buffer {
  const bytes = Buffer.byteLength(text);
  const head = bytes <= SHORT_MAX ? 2 : bytes <= WIDE_MAX ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + bytes);
  frame[0] = FIN_TEXT;
  if (bytes <= SHORT_MAX) frame[1] = bytes;
  else if (bytes <= WIDE_MAX) {
    frame[1] = WIDE;
    frame.writeUInt16BE(bytes, 2);
  } else {
    frame[1] = WIDER;
    frame.writeUInt32BE(0, 2);
    frame.writeUInt32BE(bytes, 6);
  }
  // As many bytes as characters: all of it is ASCII, which needs no encoder.
  frame.write(text, head, bytes === text.length ? 'latin1' : 'utf8');
  return frame;
}

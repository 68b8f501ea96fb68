/**
 * Frames between nodes: u32 length (of what follows), u8 kind, bytes. TCP hands over chunks that
 * end anywhere, so frames are cut out of them here; a length beyond the bound is refused before a
 * byte of it is stored, or four bytes of noise could ask for four gigabytes.
 */
import { OxbowError } from '@oxbow/sdk/protocol';

export const FRAME_HEADER_BYTES = 5;

/** All but `data` are the link's own and never reach the machines. */
export const frameKind = {
  data: 0, ping: 1, pong: 2, hello: 3, challenge: 4, proof: 5, verdict: 6, open: 7,
} as const;

export type TakeFrame = (kind: number, payload: Buffer) => void;

export class FrameReader {
  readonly #take: TakeFrame;
  /** Grows when the other side is known. */
  payloadBytesMax: number;
  /** Chunks that hold no whole frame yet. */
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  /** Bytes that the frame under way needs before it can be cut out. */
  #neededBytes = FRAME_HEADER_BYTES;

  constructor(payloadBytesMax: number, take: TakeFrame) {
    this.payloadBytesMax = payloadBytesMax;
    this.#take = take;
  }

  /** Takes what arrived. Errors: `bad-frame`, after which the link must end. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#neededBytes) return;
    // Once per frame that spans chunks, not once per chunk: a large frame is copied one single
    // time.
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    this.#keep(bytes.subarray(this.#cut(bytes)));
  }

  /** Answers with how many bytes were frames. */
  #cut(bytes: Buffer): number {
    let offset = 0;
    for (;;) {
      const rest = bytes.length - offset;
      this.#neededBytes = FRAME_HEADER_BYTES;
      if (rest < FRAME_HEADER_BYTES) return offset;
      const length = this.#mustLength(bytes.readUInt32BE(offset));
      this.#neededBytes = 4 + length;
      if (rest < this.#neededBytes) return offset;
      const end = offset + 4 + length;
      const payload = bytes.subarray(offset + FRAME_HEADER_BYTES, end);
      const kind = bytes.readUInt8(offset + 4);
      offset = end;
      this.#take(kind, payload);
    }
  }

  #mustLength(length: number): number {
    if (length >= 1 && length <= this.payloadBytesMax + 1) return length;
    throw new OxbowError(
      'bad-frame',
      `Cannot read a frame of ${length} bytes: 1 to ${this.payloadBytesMax + 1} are taken here.`,
    );
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#heldBytes = rest.length;
  }
}

export function frameHeader(kind: number, payloadBytes: number): Buffer {
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  header.writeUInt32BE(payloadBytes + 1, 0);
  header.writeUInt8(kind, 4);
  return header;
}

export function encodeFrame(kind: number, payload: Uint8Array): Buffer {
  return Buffer.concat([frameHeader(kind, payload.length), payload]);
}

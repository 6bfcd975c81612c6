/**
 * Frames on a byte stream: a 4-byte big-endian length, then the payload. An empty frame is a keep-alive. The reader is pulled, so
 * what a peer has sent stays unparsed (and its stream paused) until somebody has time for it.
 */
import { DecodeError } from "@keel/proto/bytes/decode-error";

export const headerBytes: 4 = 4;

/** Cuts chunks into frames. Memory held is what was pushed and not yet pulled. */
export class FrameReader {
  #frameBytesMax: number;
  #chunks: Uint8Array[] = [];
  /** Read position within the first chunk. */
  #at = 0;
  #buffered = 0;
  /** Payload length of the frame whose header has been read; −1 between frames. */
  #wanted = -1;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Applies to the frames not yet begun. */
  setLimit(frameBytesMax: number): void {
    this.#frameBytesMax = frameBytesMax;
  }

  get bufferedBytes(): number {
    return this.#buffered;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
  }

  /** The next whole frame's payload (an own copy), or null; throws `DecodeError` on a length above the limit. */
  next(): Uint8Array | null {
    if (this.#wanted < 0) {
      if (this.#buffered < headerBytes) return null;
      const header = this.#take(headerBytes);
      const length =
        (header[0] as number) * 0x1000000 +
        (((header[1] as number) << 16) | ((header[2] as number) << 8) | (header[3] as number));
      if (length > this.#frameBytesMax) {
        throw new DecodeError(
          "too-large",
          `frame: expected at most ${this.#frameBytesMax} bytes, got ${length}`,
        );
      }
      this.#wanted = length;
    }
    if (this.#buffered < this.#wanted) return null;
    const payload = this.#take(this.#wanted);
    this.#wanted = -1;
    return payload;
  }

  /** Whether `next` would return a frame (or throw) without more bytes. */
  get hasFrame(): boolean {
    return this.#wanted >= 0 ? this.#buffered >= this.#wanted : this.#buffered >= headerBytes;
  }

  clear(): void {
    this.#chunks = [];
    this.#at = 0;
    this.#buffered = 0;
    this.#wanted = -1;
  }

  /** Copies, because a small frame kept by its receiver must not keep the large chunk it came in. */
  #take(length: number): Uint8Array {
    const out = new Uint8Array(length);
    let filled = 0;
    let used = 0;
    while (filled < length) {
      const chunk = this.#chunks[used] as Uint8Array;
      const piece = chunk.subarray(this.#at, this.#at + length - filled);
      out.set(piece, filled);
      filled += piece.length;
      this.#at += piece.length;
      if (this.#at === chunk.length) {
        used += 1;
        this.#at = 0;
      }
    }
    if (used > 0) this.#chunks.splice(0, used);
    this.#buffered -= length;
    return out;
  }
}

/** Bounded queue of outgoing payloads, drained as joined writes. */
export class FrameQueue {
  readonly #framesMax: number;
  readonly #bytesMax: number;
  #payloads: Uint8Array[] = [];
  /** Index of the first payload not fully written, and how much of its frame (header included) has been. */
  #head = 0;
  #written = 0;
  #bytes = 0;

  constructor(limits: { readonly framesMax: number; readonly bytesMax: number }) {
    this.#framesMax = limits.framesMax;
    this.#bytesMax = limits.bytesMax;
  }

  get frames(): number {
    return this.#payloads.length - this.#head;
  }

  /** Bytes still to be written, headers included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** False when a bound is reached; the payload is then not queued. A frame is always taken into an empty queue. */
  push(payload: Uint8Array): boolean {
    const size = headerBytes + payload.length;
    if (this.frames > 0 && (this.frames >= this.#framesMax || this.#bytes + size > this.#bytesMax))
      return false;
    this.#payloads.push(payload);
    this.#bytes += size;
    return true;
  }

  /** Up to `bytesMax` bytes of the frames in order, cutting the last where it does not fit; null when empty. */
  shift(bytesMax: number): Uint8Array | null {
    if (this.#bytes === 0) return null;
    const out = new Uint8Array(Math.min(bytesMax, this.#bytes));
    let filled = 0;
    while (filled < out.length) {
      const payload = this.#payloads[this.#head] as Uint8Array;
      if (this.#written < headerBytes) {
        const byte = (payload.length >>> (8 * (headerBytes - 1 - this.#written))) & 0xff;
        out[filled++] = byte;
        this.#written += 1;
      } else {
        const start = this.#written - headerBytes;
        const piece = payload.subarray(start, start + out.length - filled);
        out.set(piece, filled);
        filled += piece.length;
        this.#written += piece.length;
      }
      if (this.#written === headerBytes + payload.length) this.#advance();
    }
    this.#bytes -= out.length;
    return out;
  }

  clear(): void {
    this.#payloads = [];
    this.#head = 0;
    this.#written = 0;
    this.#bytes = 0;
  }

  #advance(): void {
    this.#head += 1;
    this.#written = 0;
    // Compacting now and then keeps both the shift cheap and the written payloads collectable.
    if (this.frames === 0) {
      this.#payloads = [];
      this.#head = 0;
    } else if (this.#head >= 64 && this.#head * 2 >= this.#payloads.length) {
      this.#payloads.splice(0, this.#head);
      this.#head = 0;
    }
  }
}

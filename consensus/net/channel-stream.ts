/**
 * One long-lived stream of one protocol to one peer: greets, queues and joins outgoing frames (one write per event-loop turn,
 * never one per frame), and holds incoming bytes until they are pulled, pausing the stream when they pile up.
 */
import { DecodeError } from "@keel/proto/bytes/decode-error";
import type { Stream } from "@libp2p/interface";
import type { Channel, PeerId } from "../host/ports.ts";
import { FrameQueue, FrameReader } from "./frames.ts";
import { decodeHello, type Hello } from "./hello.ts";
import {
  batchBytesMax,
  type ChannelLimits,
  helloBytesMax,
  readBufferHighBytes,
  readBufferLowBytes,
} from "./limits.ts";
import { TokenBucket } from "./token-bucket.ts";

/** The part of a libp2p stream that is used; a test drives it with its own. */
export type ByteStream = Pick<
  Stream,
  "send" | "pause" | "resume" | "abort" | "addEventListener" | "writableNeedsDrain" | "status"
>;

export interface ChannelStreamEvents {
  onHello(hello: Hello): void;
  /** Frames may be waiting. */
  onReadable(stream: ChannelStream): void;
  onClose(reason: string): void;
  nowMs(): number;
}

export class ChannelStream {
  readonly peer: PeerId;
  readonly channel: Channel;
  readonly limits: ChannelLimits;
  readonly #stream: ByteStream;
  readonly #events: ChannelStreamEvents;
  readonly #queue: FrameQueue;
  readonly #frameBudget: TokenBucket;
  readonly #byteBudget: TokenBucket;
  /** Only a greeting may come first, and it is small. */
  readonly #reader = new FrameReader(helloBytesMax);
  #greeted = false;
  #flushing = false;
  #paused = false;
  #closed = false;
  /** Frames dropped because the queue was full. */
  dropped = 0;

  constructor(
    init: {
      readonly peer: PeerId;
      readonly channel: Channel;
      readonly limits: ChannelLimits;
      /** Our greeting, sent first. */
      readonly hello: Uint8Array;
    },
    stream: ByteStream,
    events: ChannelStreamEvents,
  ) {
    const { limits } = init;
    this.peer = init.peer;
    this.channel = init.channel;
    this.limits = limits;
    this.#stream = stream;
    this.#events = events;
    this.#queue = new FrameQueue({
      framesMax: limits.sendFramesMax,
      bytesMax: limits.sendBytesMax,
    });
    this.#frameBudget = new TokenBucket(limits.framesPerSecond, events.nowMs());
    this.#byteBudget = new TokenBucket(limits.bytesPerSecond, events.nowMs());
    stream.addEventListener("message", (event) => {
      this.#onBytes(event.data instanceof Uint8Array ? event.data : event.data.subarray());
    });
    stream.addEventListener("drain", () => this.#flush());
    stream.addEventListener("remoteCloseWrite", () => this.close("the peer closed its stream"));
    stream.addEventListener("close", (event) =>
      this.close(event.error?.message ?? "stream closed"),
    );
    this.send(init.hello);
  }

  get greeted(): boolean {
    return this.#greeted;
  }

  get hasFrame(): boolean {
    return this.#greeted && !this.#closed && this.#reader.hasFrame;
  }

  /** False: queue full or stream closed; the frame is dropped. */
  send(payload: Uint8Array): boolean {
    if (this.#closed || payload.length > this.limits.frameBytesMax || !this.#queue.push(payload)) {
      this.dropped += 1;
      return false;
    }
    if (!this.#flushing) {
      this.#flushing = true;
      setImmediate(() => this.#flush());
    }
    return true;
  }

  /** Milliseconds until the inbound rates allow another frame; 0 now. */
  waitMs(): number {
    const nowMs = this.#events.nowMs();
    return Math.max(this.#frameBudget.waitMs(nowMs), this.#byteBudget.waitMs(nowMs));
  }

  /** The next frame the rates allow, or null; throws `DecodeError` on a frame above the limit. */
  next(): Uint8Array | null {
    if (!this.hasFrame || this.waitMs() > 0) return null;
    const frame = this.#reader.next();
    if (frame !== null) {
      const nowMs = this.#events.nowMs();
      this.#frameBudget.take(1, nowMs);
      this.#byteBudget.take(frame.length, nowMs);
    }
    if (this.#paused && this.#reader.bufferedBytes <= readBufferLowBytes) this.#resume();
    return frame;
  }

  close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.clear();
    this.#reader.clear();
    this.#guard(() => this.#stream.abort(new Error(reason)));
    this.#events.onClose(reason);
  }

  #onBytes(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#reader.push(chunk);
    if (!this.#greeted && !this.#greet()) return;
    this.#pauseWhenFull();
    if (this.#reader.hasFrame) this.#events.onReadable(this);
  }

  /** Room for the largest frame is always left, or it could never complete. */
  #pauseWhenFull(): void {
    if (this.#paused || this.#reader.bufferedBytes <= readBufferHighBytes || !this.#reader.hasFrame)
      return;
    this.#paused = true;
    this.#guard(() => this.#stream.pause());
  }

  #resume(): void {
    // Resuming hands over what libp2p holds before it reopens the window. Pausing from within that would be undone by the
    // reopening, and the stream would fill past libp2p's own limit; so it is decided afterwards.
    this.#guard(() => this.#stream.resume());
    this.#paused = false;
    this.#pauseWhenFull();
  }

  /** Reads the greeting; false while it is incomplete or when it closed the stream. */
  #greet(): boolean {
    try {
      const frame = this.#reader.next();
      if (frame === null) return false;
      const hello = decodeHello(frame);
      this.#reader.setLimit(this.limits.frameBytesMax);
      this.#greeted = true;
      this.#events.onHello(hello);
      return !this.#closed;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.close(error.message);
      return false;
    }
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#closed) return;
    this.#guard(() => {
      while (!this.#stream.writableNeedsDrain) {
        const batch = this.#queue.shift(batchBytesMax);
        if (batch === null || !this.#stream.send(batch)) return;
      }
    });
  }

  /** libp2p streams throw when used while closing, which can happen at any time from outside. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!this.#closed) this.close(error instanceof Error ? error.message : String(error));
    }
  }
}

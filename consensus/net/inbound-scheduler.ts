/**
 * Pulls inbound frames in turns: channels by priority, peers of a channel one after the other, for a few milliseconds at a time.
 * A flooding peer or channel therefore costs the others at most one turn.
 */
import type { Clock } from "../host/ports.ts";
import type { ChannelStream } from "./channel-stream.ts";
import { channels, turnMs } from "./limits.ts";

export class InboundScheduler {
  readonly #clock: Pick<Clock, "monotonicMs" | "startTimer">;
  readonly #deliver: (stream: ChannelStream, frame: Uint8Array) => void;
  readonly #onOversize: (stream: ChannelStream, reason: string) => void;
  /** Streams with something to read, in turn order, by the index of their channel. */
  readonly #waiting: ChannelStream[][] = channels.map(() => []);
  readonly #queued = new Set<ChannelStream>();
  #scheduled = false;
  #stopped = false;

  constructor(
    clock: Pick<Clock, "monotonicMs" | "startTimer">,
    deliver: (stream: ChannelStream, frame: Uint8Array) => void,
    onOversize: (stream: ChannelStream, reason: string) => void,
  ) {
    this.#clock = clock;
    this.#deliver = deliver;
    this.#onOversize = onOversize;
  }

  /** The stream may have frames; harmless when it has none. */
  wake(stream: ChannelStream): void {
    if (this.#stopped || this.#queued.has(stream)) return;
    this.#queued.add(stream);
    this.#waiting[channels.indexOf(stream.channel)]?.push(stream);
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    for (const list of this.#waiting) list.length = 0;
    this.#queued.clear();
  }

  #schedule(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#turn();
    });
  }

  #turn(): void {
    const untilMs = this.#clock.monotonicMs() + turnMs;
    // Every channel with work gets at least one stream's turn, so that priority delays but never starves.
    for (const list of this.#waiting) {
      let streams = list.length;
      do {
        if (streams === 0) break;
        streams -= 1;
        const stream = list.shift();
        if (stream === undefined) break;
        this.#queued.delete(stream);
        this.#serve(stream);
      } while (this.#clock.monotonicMs() < untilMs);
    }
    if (this.#waiting.some((list) => list.length > 0)) this.#schedule();
  }

  #serve(stream: ChannelStream): void {
    for (let i = 0; i < stream.limits.turnFrames; i++) {
      let frame: Uint8Array | null;
      try {
        frame = stream.next();
      } catch (error) {
        this.#onOversize(stream, error instanceof Error ? error.message : String(error));
        return;
      }
      if (frame === null) break;
      if (frame.length > 0) this.#deliver(stream, frame);
    }
    if (!stream.hasFrame) return;
    const waitMs = stream.waitMs();
    if (waitMs === 0) this.wake(stream);
    else this.#clock.startTimer(waitMs, () => this.wake(stream));
  }
}

/** One connection to one authenticated peer: a stream per channel, ready once all of them are greeted. */
import type { Connection, Stream } from "@libp2p/interface";
import type { Channel, Clock, PeerId, PeerInfo } from "../host/ports.ts";
import { ChannelStream } from "./channel-stream.ts";
import { type Hello, helloMismatch } from "./hello.ts";
import { updateWindowSeldom } from "./libp2p-writes.ts";
import { type ChannelLimits, channels, keepAliveMs, silenceMaxMs } from "./limits.ts";

export interface LinkContext {
  readonly clock: Pick<Clock, "monotonicMs" | "startTimer">;
  readonly limits: Readonly<Record<Channel, ChannelLimits>>;
  readonly hello: Hello;
  readonly helloBytes: Uint8Array;
  /** All streams are greeted. */
  onReady(link: PeerLink): void;
  onReadable(link: PeerLink, stream: ChannelStream): void;
  /** Called once. `refused`: the peer may never become one of ours as it is (other chain or protocol version). */
  onClosed(link: PeerLink, reason: string, refused: boolean): void;
}

export const channelProtocol = (channel: Channel): string => `/keel/${channel}/1.0.0`;

export class PeerLink {
  readonly peer: PeerId;
  readonly outbound: boolean;
  readonly connection: Connection;
  /** Host and port of the other end, as seen or dialled. */
  readonly host: string;
  readonly dialledPort: number;
  /** Admitted by the transport; frames are delivered from then on. */
  up = false;
  readonly #context: LinkContext;
  readonly #streams = new Map<Channel, ChannelStream>();
  #hello: Hello | null = null;
  #readySinceMs = 0;
  #lastHeardMs: number;
  #keepAlive: { cancel(): void };
  #closed = false;

  constructor(
    context: LinkContext,
    init: {
      readonly peer: PeerId;
      readonly outbound: boolean;
      readonly connection: Connection;
      readonly host: string;
      readonly dialledPort: number;
    },
  ) {
    this.#context = context;
    this.peer = init.peer;
    this.outbound = init.outbound;
    this.connection = init.connection;
    this.host = init.host;
    this.dialledPort = init.dialledPort;
    this.#lastHeardMs = context.clock.monotonicMs();
    this.#keepAlive = context.clock.startTimer(keepAliveMs, () => this.#onKeepAlive());
    init.connection.addEventListener("close", () => this.close("connection closed"));
  }

  get session(): Uint8Array {
    return this.#hello?.session ?? new Uint8Array(0);
  }

  get readySinceMs(): number {
    return this.#readySinceMs;
  }

  get closed(): boolean {
    return this.#closed;
  }

  info(): PeerInfo {
    const port = this.outbound ? this.dialledPort : (this.#hello?.listenPort ?? 0);
    const host = this.host.includes(":") ? `[${this.host}]` : this.host;
    let dropped = 0;
    for (const stream of this.#streams.values()) dropped += stream.dropped;
    return {
      id: this.peer,
      address: `${this.peer}@${host}:${port}`,
      moniker: this.#hello?.moniker ?? "",
      outbound: this.outbound,
      connectedSinceMs: this.#readySinceMs,
      dropped,
    };
  }

  attach(channel: Channel, stream: Stream): void {
    if (this.#closed || this.#streams.has(channel)) {
      stream.abort(new Error(this.#closed ? "link closed" : "one stream per protocol"));
      return;
    }
    const { clock, limits, helloBytes } = this.#context;
    updateWindowSeldom(stream);
    const attached = new ChannelStream(
      { peer: this.peer, channel, limits: limits[channel], hello: helloBytes },
      stream,
      {
        nowMs: () => clock.monotonicMs(),
        onHello: (hello) => this.#onHello(hello),
        onReadable: (readable) => {
          this.#lastHeardMs = clock.monotonicMs();
          if (this.up) this.#context.onReadable(this, readable);
        },
        onClose: (reason) => this.close(`${channel}: ${reason}`),
      },
    );
    this.#streams.set(channel, attached);
  }

  send(channel: Channel, payload: Uint8Array): boolean {
    return this.#streams.get(channel)?.send(payload) ?? false;
  }

  /** What arrived before the link was admitted. */
  wakeAll(): void {
    for (const stream of this.#streams.values())
      if (stream.hasFrame) this.#context.onReadable(this, stream);
  }

  close(reason: string, refused: boolean = false): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#keepAlive.cancel();
    for (const stream of this.#streams.values()) stream.close(reason);
    // Streams carry their own resets; nothing is left worth a graceful goodbye, and waiting for one lets a peer hold us.
    try {
      this.connection.abort(new Error(reason));
    } catch {
      // Already gone.
    }
    this.#context.onClosed(this, reason, refused);
  }

  #onHello(hello: Hello): void {
    const mismatch = helloMismatch(hello, this.#context.hello);
    if (mismatch !== null) {
      this.close(mismatch, true);
      return;
    }
    this.#hello ??= hello;
    this.#lastHeardMs = this.#context.clock.monotonicMs();
    // `attach` runs inside the stream's construction when bytes were waiting, so count greeted streams on the next turn.
    queueMicrotask(() => this.#checkReady());
  }

  #checkReady(): void {
    if (this.#closed || this.#readySinceMs > 0 || this.#streams.size < channels.length) return;
    for (const stream of this.#streams.values()) if (!stream.greeted) return;
    this.#readySinceMs = this.#context.clock.monotonicMs();
    this.#context.onReady(this);
  }

  #onKeepAlive(): void {
    if (this.#closed) return;
    if (this.#context.clock.monotonicMs() - this.#lastHeardMs > silenceMaxMs) {
      this.close(`nothing heard for ${silenceMaxMs} ms`);
      return;
    }
    this.send("consensus", new Uint8Array(0));
    this.#keepAlive = this.#context.clock.startTimer(keepAliveMs, () => this.#onKeepAlive());
  }
}

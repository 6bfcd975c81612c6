/** `/stream`: sessions over WebSockets, how many of them, and their signs of life. */
import type { Addresses } from "@keel/modules/kit/addresses";
import type { WebSocket } from "ws";
import type { StreamEndpoint } from "../rpc/server.ts";
import type { StreamHub } from "./hub.ts";
import { BUFFERED_BYTES_MAX, HEARTBEAT_MS, MESSAGE_BYTES_MAX } from "./limits.ts";
import { type CloseReason, closeCodes, StreamSession } from "./session.ts";

export interface StreamSocketOptions {
  readonly hub: StreamHub;
  readonly addresses: Addresses;
  readonly clientsMax: number;
  /** Height and time of the last block that was published. */
  readonly now: () => { readonly height: number; readonly timeMs: number };
  readonly log: (message: string, details: Record<string, unknown>) => void;
}

interface Client {
  readonly socket: WebSocket;
  readonly session: StreamSession;
  /** It has answered the last ping. */
  alive: boolean;
}

export class StreamSockets implements StreamEndpoint {
  readonly path = "/stream";
  readonly messageBytesMax: number = MESSAGE_BYTES_MAX;
  readonly #options: StreamSocketOptions;
  readonly #clients = new Set<Client>();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(options: StreamSocketOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT_MS);
    this.#timer.unref();
  }

  get clients(): number {
    return this.#clients.size;
  }

  serve(socket: WebSocket): void {
    const { addresses, clientsMax, hub, log } = this.#options;
    socket.on("error", (error) => log("stream error", { reason: error.message }));
    if (this.#clients.size >= clientsMax) {
      close(socket, "too-many-clients");
      return;
    }
    const session = new StreamSession({
      hub,
      addresses,
      nowMs: () => performance.now(),
      line: {
        send: (text) => {
          if (socket.readyState !== socket.OPEN) return;
          // Not closed but cut off: a close would wait behind what it does not read.
          if (socket.bufferedAmount > BUFFERED_BYTES_MAX) socket.terminate();
          else socket.send(text);
        },
        buffered: () => socket.bufferedAmount,
        close: (reason) =>
          reason === "slow-consumer" ? socket.terminate() : close(socket, reason),
      },
    });
    const client: Client = { socket, session, alive: true };
    this.#clients.add(client);
    socket.on("message", (data, isBinary) => {
      // Whatever it says, it is one message, and counts as one.
      session.receive(isBinary ? "" : data.toString());
    });
    socket.on("pong", () => {
      client.alive = true;
    });
    socket.on("close", () => {
      this.#clients.delete(client);
      session.leave();
    });
  }

  closeAll(reason: CloseReason): void {
    for (const { socket } of this.#clients) close(socket, reason);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.closeAll("node-stops");
  }

  #beat(): void {
    const { height, timeMs } = this.#options.now();
    for (const client of this.#clients) {
      const { session, socket } = client;
      if (!client.alive) {
        socket.terminate();
        continue;
      }
      client.alive = false;
      if (socket.readyState === socket.OPEN) socket.ping();
      session.heartbeat(height, timeMs);
    }
    this.#options.hub.catchUp();
  }
}

function close(socket: WebSocket, reason: CloseReason): void {
  socket.close(closeCodes[reason], reason);
}

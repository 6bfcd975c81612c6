/**
 * Follows a venue over a WebSocket. A connection that is quiet too long, or whose messages cannot be read time after time, is ended; whatever ends
 * it, the next attempt comes later each time, until one has brought a price.
 */
import WebSocket from "ws";
import { type BackoffTimes, backoffMs } from "./backoff.ts";
import {
  type Connection,
  type ConnectionSink,
  MESSAGE_BYTES_MAX,
  RETRY,
  TIMEOUT_MS,
} from "./connection.ts";
import type { Venue } from "./types.ts";

export interface SocketOptions {
  readonly venue: Venue;
  /** Instead of the venue's own. */
  readonly url: string;
  readonly tickers: readonly string[];
  readonly sink: ConnectionSink;
  readonly timeoutMs?: number;
  /** Without any message for so long the connection counts as dead. */
  readonly quietMs?: number;
  readonly retry?: BackoffTimes;
}

const QUIET_MS = 30_000;
/** Answers alone, and no price in so many quiet times: the subscription is lost. */
const UNPRICED_QUIETS = 4;
/** Messages in a row that cannot be read: the venue speaks another language now. */
const UNREADABLE_MAX = 20;

export function openSocket(options: SocketOptions): Connection {
  const { venue, sink, tickers } = options;
  const quietMs = options.quietMs ?? QUIET_MS;
  let socket: WebSocket | null = null;
  let retry: NodeJS.Timeout | undefined;
  let failures = 0;
  let stopped = false;

  function connect(): void {
    const current = new WebSocket(options.url, {
      handshakeTimeout: options.timeoutMs ?? TIMEOUT_MS,
      maxPayload: MESSAGE_BYTES_MAX,
      perMessageDeflate: false,
      followRedirects: false,
    });
    socket = current;
    let unreadable = 0;
    let heardMs = performance.now();
    let pricedMs = heardMs;
    let reason: string | null = null;
    const watch = setInterval(() => {
      const quiet = performance.now() - heardMs;
      const unpriced = performance.now() - pricedMs;
      if (quiet > quietMs || unpriced > UNPRICED_QUIETS * quietMs) {
        const what = quiet > quietMs ? "nothing" : "no price";
        sink.fault("timeout", `${what} for ${Math.round(Math.max(quiet, unpriced))} ms`);
        reason = "quiet";
        current.terminate();
      } else if (quiet > quietMs / 2 && current.readyState === current.OPEN) {
        if (venue.socket.ping === null) current.ping();
        else current.send(venue.socket.ping);
      }
    }, quietMs / 4);
    current.on("open", () => {
      for (const message of venue.socket.subscribe(tickers)) current.send(message);
    });
    current.on("pong", () => {
      heardMs = performance.now();
    });
    current.on("message", (data, isBinary) => {
      heardMs = performance.now();
      try {
        if (isBinary) throw new Error("expected text");
        const tops = venue.socket.read(data.toString());
        for (const top of tops) sink.quote(top);
        unreadable = 0;
        if (tops.length > 0) {
          failures = 0;
          pricedMs = heardMs;
        }
      } catch (error) {
        unreadable += 1;
        sink.fault("content", (error as Error).message);
        if (unreadable < UNREADABLE_MAX) return;
        reason = "unreadable";
        current.terminate();
      }
    });
    current.on("error", (error: Error & { code?: string }) => {
      reason = error.message;
      const large = error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
      sink.fault(large ? "size" : "connect", error.message);
    });
    current.on("close", (code) => {
      clearInterval(watch);
      if (stopped) return;
      if (reason === null) sink.fault("closed", `closed with code ${code}`);
      failures += 1;
      retry = setTimeout(connect, backoffMs(failures, options.retry ?? RETRY, Math.random()));
    });
  }
  connect();

  return {
    stop() {
      stopped = true;
      clearTimeout(retry);
      socket?.terminate();
    },
  };
}

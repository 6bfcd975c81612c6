/** Asks a venue again and again. A failure is told and makes the next attempt later; an answer is read whole, within bounds, or not at all. */
import { BodyTooLarge, readBounded } from "../http.ts";
import { type BackoffTimes, backoffMs } from "./backoff.ts";
import {
  ANSWER_BYTES_MAX,
  type Connection,
  type ConnectionSink,
  RETRY,
  SourceFault,
  TIMEOUT_MS,
} from "./connection.ts";
import type { RestRequest, Venue } from "./types.ts";

export interface RestOptions {
  readonly venue: Venue;
  /** Instead of the venue's own; without a slash at the end. */
  readonly url: string;
  readonly tickers: readonly string[];
  readonly intervalMs: number;
  readonly sink: ConnectionSink;
  readonly timeoutMs?: number;
  readonly retry?: BackoffTimes;
}

export function openRest(options: RestOptions): Connection {
  const { venue, sink, intervalMs } = options;
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const stopping = new AbortController();
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;

  async function ask({ path, tickers }: RestRequest): Promise<void> {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(timeoutMs)]);
    let response: Response;
    let text: string;
    try {
      // Followed nowhere: an address that moves is a matter for the operator.
      response = await fetch(options.url + path, { signal, redirect: "error" });
      text = await readBounded(response, ANSWER_BYTES_MAX);
    } catch (error) {
      throw asFault(error as Error);
    }
    if (!response.ok) throw new SourceFault("status", `status ${response.status}`);
    try {
      for (const top of venue.rest.read(text, tickers)) sink.quote(top);
    } catch (error) {
      throw new SourceFault("content", (error as Error).message);
    }
  }

  async function round(): Promise<void> {
    const results = await Promise.allSettled(venue.rest.requests(options.tickers).map(ask));
    if (stopping.signal.aborted) return;
    let failed = false;
    for (const result of results) {
      if (result.status === "fulfilled") continue;
      failed = true;
      const { kind, message } = result.reason as SourceFault;
      sink.fault(kind, message);
    }
    failures = failed ? failures + 1 : 0;
    const wait = failed
      ? Math.max(intervalMs, backoffMs(failures, options.retry ?? RETRY, Math.random()))
      : intervalMs;
    timer = setTimeout(() => void round(), wait);
  }
  void round();

  return {
    stop() {
      stopping.abort();
      clearTimeout(timer);
    },
  };
}

function asFault(error: Error): SourceFault {
  if (error instanceof SourceFault) return error;
  if (error instanceof BodyTooLarge) return new SourceFault("size", error.message);
  if (error.name === "TimeoutError") return new SourceFault("timeout", "no answer in time");
  return new SourceFault("connect", (error.cause as Error | undefined)?.message ?? error.message);
}

/**
 * Polls a JSON endpoint that answers {"<symbol>": "<decimal price>"}. A failed or malformed answer is counted and the last good price
 * stays until it is too old to vouch for.
 */
import { priceE8 } from "./price-text.ts";
import type { PriceFeed, Quote } from "./types.ts";

export interface HttpFeedOptions {
  readonly url: string;
  readonly symbols: readonly string[];
  readonly pollIntervalMs: number;
  readonly log: (message: string, details: Record<string, unknown>) => void;
}

const ANSWER_BYTES_MAX = 64 * 1024;
const TIMEOUT_MS = 5000;
/** An older price is not repeated: silence is honest, a frozen price is not. */
const AGE_MAX_MS = 30_000;
const CONFIDENCE_PPM = 500n;

export function createHttpFeed(options: HttpFeedOptions): PriceFeed {
  const quotes = new Map<string, { readonly quote: Quote; readonly atMs: number }>();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const poll = async (): Promise<void> => {
    try {
      const response = await fetch(options.url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const prices = parsePrices(await readBounded(response, ANSWER_BYTES_MAX), options.symbols);
      for (const quote of prices) quotes.set(quote.symbol, { quote, atMs: performance.now() });
    } catch (error) {
      options.log("price source did not answer", {
        url: options.url,
        reason: (error as Error).message,
      });
    }
    if (!stopped) timer = setTimeout(() => void poll(), options.pollIntervalMs);
  };
  void poll();

  return {
    latest() {
      const oldest = performance.now() - AGE_MAX_MS;
      return [...quotes.values()].filter(({ atMs }) => atMs >= oldest).map(({ quote }) => quote);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

export class BodyTooLarge extends Error {
  constructor(bytesMax: number) {
    super(`expected at most ${bytesMax} bytes`);
    this.name = "BodyTooLarge";
  }
}

/** The body as text; more than `bytesMax` is refused before it is held. */
export async function readBounded(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length;
    if (size > bytesMax) throw new BodyTooLarge(bytesMax);
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Symbols that are not asked for are passed over; a price that is not a decimal is an error. */
export function parsePrices(text: string, symbols: readonly string[]): Quote[] {
  const json: unknown = JSON.parse(text);
  if (typeof json !== "object" || json === null) throw new Error("expected an object of prices");
  const out: Quote[] = [];
  for (const symbol of symbols) {
    const value = (json as Record<string, unknown>)[symbol];
    if (value === undefined) continue;
    const price = typeof value === "string" ? priceE8(value) : null;
    if (price === null) throw new Error(`expected a decimal for ${symbol}`);
    if (price > 0n)
      out.push({ symbol, priceE8: price, confidenceE8: (price * CONFIDENCE_PPM) / 1_000_000n });
  }
  return out;
}

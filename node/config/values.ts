/** Text values of the configuration files: durations, addresses, prices. */
import { z } from "zod";
import type { VenueMarket } from "../feeds/exchanges/feed.ts";

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** "300ms", "1s", "1.5s", "10m", "0s" → milliseconds. */
export const durationMs: z.ZodType<number, string> = z.string().transform((text, ctx) => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (match === null) {
    ctx.addIssue({
      code: "custom",
      message: `expected a duration such as "300ms" or "1s", got "${text}"`,
    });
    return z.NEVER;
  }
  return Math.round(Number(match[1]) * (UNIT_MS[match[2] as string] as number));
});

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** "tcp://127.0.0.1:26657" or "127.0.0.1:26657"; port 0 takes any free one. */
export const listenAddress: z.ZodType<ListenAddress, string> = z.string().transform((text, ctx) => {
  const match = /^(?:tcp:\/\/)?(\[[0-9a-f:]+\]|[^:/\s]+):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65535) {
    ctx.addIssue({ code: "custom", message: `expected tcp://host:port, got "${text}"` });
    return z.NEVER;
  }
  return { host: (match[1] as string).replace(/^\[|\]$/g, ""), port };
});

/** "id@host:port,id@host:port": hex node id of 40 characters. */
export const peerList: z.ZodType<readonly string[], string> = z.string().transform((text, ctx) => {
  const peers = text
    .split(",")
    .map((peer) => peer.trim())
    .filter((peer) => peer !== "");
  for (const peer of peers) {
    if (!/^[0-9a-f]{40}@[^@\s]+:\d{1,5}$/.test(peer)) {
      ctx.addIssue({
        code: "custom",
        message: `expected <40 hex digits>@host:port, got "${peer}"`,
      });
    }
  }
  return peers;
});

export interface MinGasPrice {
  readonly denom: string;
  /** Price × 10^18. */
  readonly attoPerGas: bigint;
}

/** "0.025ukeel,0.01uusdc"; empty: none asked. */
export const gasPrices: z.ZodType<readonly MinGasPrice[], string> = z
  .string()
  .transform((text, ctx) => {
    const prices: MinGasPrice[] = [];
    for (const part of text
      .split(",")
      .map((price) => price.trim())
      .filter((price) => price !== "")) {
      const match = /^(\d{1,20})(?:\.(\d{1,18}))?([a-zA-Z][a-zA-Z0-9/:._-]{2,127})$/.exec(part);
      if (match === null) {
        ctx.addIssue({ code: "custom", message: `expected <decimal><denom>, got "${part}"` });
        return z.NEVER;
      }
      prices.push({
        denom: match[3] as string,
        attoPerGas: BigInt((match[1] as string) + (match[2] ?? "").padEnd(18, "0")),
      });
    }
    return prices;
  });

const MARKET = /^([A-Za-z0-9/._-]{1,32})(?: via ([A-Z0-9][A-Z0-9./-]{0,31}))?$/;
const SYMBOL = /^[A-Z0-9][A-Z0-9./-]{0,31}$/;

/** { "BTC-USD" = "BTCUSDT via USDT-USD" }: which instrument of a venue is a source of which symbol, and in what it is quoted. */
export const venueMarkets: z.ZodType<readonly VenueMarket[], Record<string, string>> = z
  .record(z.string(), z.string())
  .transform((record, ctx) => {
    const markets: VenueMarket[] = [];
    for (const [symbol, text] of Object.entries(record)) {
      const match = MARKET.exec(text);
      if (match === null || !SYMBOL.test(symbol)) {
        ctx.addIssue({
          code: "custom",
          message: `expected "SYMBOL" = "TICKER" or "TICKER via SYMBOL", got "${symbol}" = "${text}"`,
        });
        return z.NEVER;
      }
      markets.push({ symbol, ticker: match[1] as string, via: match[2] ?? null });
    }
    return markets;
  });

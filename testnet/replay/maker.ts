/** A market maker of the replay: one replacing batch after another, each bound to die soon if the maker cannot renew it. */
import { roundToStep } from "@keel/client/decimal";
import type { KeelSigningClient } from "@keel/client/signing-client";
import type { Attempts } from "./actor.ts";
import { attempt, untilStopped } from "./actor.ts";
import type { MarketWatch } from "./market-watch.ts";
import type { Level, QuoteTerms } from "./quoting.ts";
import { quotes, StressGauge } from "./quoting.ts";

export interface MakerOptions {
  readonly client: KeelSigningClient;
  readonly watch: MarketWatch;
  readonly market: string;
  readonly terms: QuoteTerms;
  /** Chain seconds per real second. */
  readonly scale: number;
  readonly attempts: Attempts;
  readonly signal: AbortSignal;
}

/** Real time. */
const PAUSE_MS = 250;
/** Quotes not renewed for this long (real time) are gone. */
const QUOTE_LIFE_MS = 6_000;
/** A batch that found no block in this time (real) quotes a market that has moved on. */
const BATCH_LIFE_MS = 4_000;
const TTL_MAX_MS = 590_000;

export async function runMaker(options: MakerOptions): Promise<void> {
  const { client, watch, market, terms, scale, attempts, signal } = options;
  const gauge = new StressGauge();
  await untilStopped(signal, async () => {
    const look = watch.latest;
    if (look === null) return PAUSE_MS;
    const stress = gauge.observe(look.timeMs, look.mark);
    await attempt(attempts, async () => {
      const [position] = await client.positions();
      const inventory = Number(position?.size ?? "0") * look.mark;
      const levels = quotes(look.mark, inventory, stress, terms);
      const goodTilMs = BigInt(Math.round(look.timeMs + QUOTE_LIFE_MS * scale));
      const batch = await client.messages.batch({
        orders: levels.map((level) => ({
          market,
          side: level.side,
          ...asText(level, terms),
          postOnly: true,
          goodTilMs,
        })),
      });
      const sent = await client.submit([client.messages.cancelAll({ market }), batch], {
        unordered: true,
        ttlMs: Math.min(TTL_MAX_MS, BATCH_LIFE_MS * scale),
      });
      await sent.outcome();
    });
    return PAUSE_MS;
  });
}

/** Exactly on tick and lot. */
function asText(
  { price, size }: Level,
  { tick, lot }: QuoteTerms,
): { price: string; size: string } {
  return {
    price: roundToStep(price.toFixed(8), String(tick), "down"),
    size: roundToStep((size + lot / 4).toFixed(8), String(lot), "down"),
  };
}

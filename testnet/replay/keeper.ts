/** A keeper of the replay: bids that stand in the liquidation auctions, renewed with the price, and orders that bring its own position down. */
import { roundToStep } from "@keel/client/decimal";
import { liquidationBidMessage } from "@keel/client/liquidations";
import { attempt, untilStopped } from "./actor.ts";
import { type KeeperTerms, keeperBids, unwinding } from "./bidding.ts";
import type { MakerOptions } from "./maker.ts";
import { StressGauge } from "./quoting.ts";

export interface KeeperOptions extends Omit<MakerOptions, "terms"> {
  readonly terms: KeeperTerms;
}

/** Real time. */
const PAUSE_MS = 500;
/** Bids and orders not renewed for this long (real time) are gone. */
const LIFE_MS = 6_000;
const BATCH_LIFE_MS = 4_000;
const TTL_MAX_MS = 590_000;

export async function runKeeper(options: KeeperOptions): Promise<void> {
  const { client, watch, market, terms, scale, attempts, signal } = options;
  const gauge = new StressGauge();
  await untilStopped(signal, async () => {
    const look = watch.latest;
    if (look === null || !look.fresh) return PAUSE_MS;
    const stress = gauge.observe(look.timeMs, look.mark);
    await attempt(attempts, async () => {
      const [position] = await client.positions();
      const size = Number(position?.size ?? "0");
      const goodTilMs = BigInt(Math.round(look.timeMs + LIFE_MS * scale));
      const bids = keeperBids(look.mark, size * look.mark, stress, terms).map((bid) =>
        liquidationBidMessage(client.address, { ...bid, market, goodTilMs }),
      );
      const order = unwinding(look.mark, size, terms);
      const orders = order === null ? [] : [orderOf(order, market, terms, goodTilMs)];
      const renewed = [
        client.messages.cancelAll({ market }),
        ...(orders.length === 0 ? [] : [await client.messages.batch({ orders })]),
      ];
      const sent = await client.submit([...renewed, ...bids], {
        unordered: true,
        ttlMs: Math.min(TTL_MAX_MS, BATCH_LIFE_MS * scale),
      });
      await sent.outcome();
    });
    return PAUSE_MS;
  });
}

/** Exactly on tick and lot. */
function orderOf(
  { side, price, size }: NonNullable<ReturnType<typeof unwinding>>,
  market: string,
  { lot, tick }: KeeperTerms,
  goodTilMs: bigint,
) {
  return {
    ...{ market, side, goodTilMs, reduceOnly: true },
    price: roundToStep(price.toFixed(8), String(tick), "down"),
    size: roundToStep((size + lot / 4).toFixed(8), String(lot), "down"),
  };
}

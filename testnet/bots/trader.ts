/**
 * Leveraged trader: opens on its side with the leverage it likes, then lets its seed decide when to add, take profit, rescue itself with fresh
 * collateral, or do nothing, which is how most end in liquidation. Afterwards it comes back while its wallet lasts.
 */
import { readDecimal, timesStep } from "@keel/client/decimal";
import type { AccountHealth, MarketInfo, Position } from "@keel/client/views";
import { type Bot, type BotContext, type BotOptions, botSubmit, least, startBot } from "./bot.ts";

export interface TraderOptions extends BotOptions {
  readonly side: "buy" | "sell";
  /** Notional / collateral of a fresh position, in thousandths: 12_500 is 12.5x. */
  readonly leverageMilli: number;
  /** Collateral of a fresh position, in quanta. */
  readonly stake: bigint;
  /** Chance per step of each, in ppm. */
  readonly addPpm?: number;
  readonly rescuePpm?: number;
  /** Gain at which it closes, in ppm of the stake. */
  readonly takeProfitPpm?: number;
}

const PPM = 1_000_000n;

export function startTrader(options: TraderOptions): Bot {
  const { addPpm = 30_000, rescuePpm = 100_000, takeProfitPpm = 500_000 } = options;
  return startBot(options, {
    step: async (context) => {
      const { client, random } = context;
      const market = await client.chain.market(context.market);
      if (market.status !== "active" || !market.markFresh || market.markPrice === undefined) return;
      const health = await client.account();
      const position = health.positions.find((held) => held.market === market.symbol);
      const draw = Math.floor(random.next() * 1_000_000);
      if (position === undefined || position.size === "0")
        return await open(context, market, health, options);
      if (position.unrealisedPnl * PPM > options.stake * BigInt(takeProfitPpm))
        return await close(context, market, position);
      if (isInDanger(health))
        return draw < rescuePpm ? await rescue(context, options.stake / 2n) : undefined;
      if (draw < addPpm) await trade(context, market, options.side, health.freeCollateral / 4n);
    },
  });
}

/** Equity below one and a half times the maintenance requirement. */
export function isInDanger({ healthPpm }: Pick<AccountHealth, "healthPpm">): boolean {
  return healthPpm !== undefined && healthPpm < 1_500_000n;
}

async function open(
  context: BotContext,
  market: MarketInfo,
  { equity }: AccountHealth,
  { side, leverageMilli, stake }: TraderOptions,
): Promise<void> {
  const { client, stats } = context;
  let collateral = equity;
  if (collateral < stake) {
    const wallet = await client.balance();
    const amount = least(stake - collateral, wallet);
    // Out of money: it watches from now on.
    if (collateral + amount < stake / 10n) return;
    if (amount > 0n) {
      ({ collateral } = await client.deposit(amount, botSubmit));
      stats.txs++;
    }
  }
  await trade(context, market, side, (collateral * BigInt(leverageMilli)) / 1000n);
}

/** A market order for about this notional, in quanta. */
async function trade(
  { client, stats }: BotContext,
  market: MarketInfo,
  side: "buy" | "sell",
  notional: bigint,
): Promise<void> {
  const lots = lotsFor(notional, market);
  if (lots <= 0n) return;
  const size = timesStep(lots, market.lotSize);
  await client.place({ market: market.symbol, side, size }, botSubmit);
  stats.txs++;
  stats.orders++;
}

/** notional / mark, in lots, down. */
export function lotsFor(notional: bigint, market: MarketInfo): bigint {
  if (market.markPrice === undefined) return 0n;
  const price = readDecimal("price", market.markPrice);
  const lot = readDecimal("lot", market.lotSize);
  const quantaPerLot = price.digits * lot.digits * PPM;
  const scale = 10n ** BigInt(price.places + lot.places);
  return quantaPerLot === 0n ? 0n : (notional * scale) / quantaPerLot;
}

async function close(
  { client, stats }: BotContext,
  market: MarketInfo,
  { size }: Position,
): Promise<void> {
  const isLong = !size.startsWith("-");
  await client.place(
    {
      market: market.symbol,
      side: isLong ? "sell" : "buy",
      size: isLong ? size : size.slice(1),
      reduceOnly: true,
    },
    botSubmit,
  );
  stats.txs++;
  stats.orders++;
}

async function rescue({ client, stats }: BotContext, wanted: bigint): Promise<void> {
  const amount = least(wanted, await client.balance());
  if (amount <= 0n) return;
  await client.deposit(amount, botSubmit);
  stats.txs++;
}

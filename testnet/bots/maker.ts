/**
 * Market maker: layered quotes on both sides of the mark, skewed against its inventory, replaced by one batch when the mark has moved or
 * a layer was eaten. Without a fresh mark it withdraws everything: quoting blind only feeds others.
 */
import { readDecimal, timesStep, toUnits } from "@keel/client/decimal";
import type { MarketInfo, OpenOrder } from "@keel/client/views";
import { type Bot, type BotContext, type BotOptions, botSubmit, least, startBot } from "./bot.ts";
import { needsRequote, type Quote, type QuoteShape, quotes } from "./quotes.ts";

export interface MakerShape {
  readonly levels: number;
  readonly halfSpreadPpm: number;
  readonly stepPpm: number;
  /** Decimal, base units: first level. */
  readonly size: string;
  /** Decimal, base units. */
  readonly inventoryMax: string;
  readonly skewPpm: number;
  /** A quote may be this far from where it should be before all are replaced. */
  readonly tolerancePpm: number;
}

export const makerShape: MakerShape = {
  levels: 5,
  halfSpreadPpm: 400,
  stepPpm: 400,
  size: "0.2",
  inventoryMax: "20",
  skewPpm: 2_000,
  tolerancePpm: 150,
};

export interface MakerOptions extends BotOptions {
  /** Collateral it keeps in its sub-account, in quanta; topped up from its wallet when half is gone. */
  readonly collateral: bigint;
  readonly shape?: Partial<MakerShape>;
}

export function startMaker(options: MakerOptions): Bot {
  const shape = { ...makerShape, ...options.shape };
  let nextId = Math.floor(options.random.next() * 0x1_0000_0000);
  return startBot(options, {
    step: async (context) => {
      await keepFunded(context, options.collateral);
      const market = await context.client.chain.market(context.market);
      const resting = await context.client.openOrders({ market: context.market });
      const wanted =
        market.markFresh && market.markPrice !== undefined
          ? quotes(
              ticksOf(market.markPrice, market),
              await inventoryLots(context, market),
              integerShape(shape, market),
            )
          : [];
      const have = resting.map((order) => quoteOf(order, market));
      if (!needsRequote(wanted, have, BigInt(shape.tolerancePpm))) return;
      // Far ones too are replaced: the bound on open orders leaves no room for both.
      const { orders } = await context.client.batch(
        {
          cancels: resting.map(({ orderId }) => ({ market: market.symbol, orderId })),
          orders: wanted.map(({ side, ticks, lots }) => ({
            market: market.symbol,
            side,
            price: timesStep(ticks, market.tickSize),
            size: timesStep(lots, market.lotSize),
            postOnly: true,
            clientId: `q${nextId++}`,
          })),
        },
        botSubmit,
      );
      context.stats.txs++;
      context.stats.orders += orders.filter(({ ok }) => ok).length;
    },
    leave: async ({ client, market }) => {
      await client.cancelAll({ market }, botSubmit);
    },
  });
}

async function keepFunded({ client, stats }: BotContext, collateral: bigint): Promise<void> {
  const { equity } = await client.account();
  if (equity * 2n >= collateral) return;
  const amount = least(collateral - equity, await client.balance());
  if (amount <= 0n) return;
  await client.deposit(amount, botSubmit);
  stats.txs++;
}

async function inventoryLots({ client }: BotContext, market: MarketInfo): Promise<bigint> {
  const held = (await client.positions()).find((position) => position.market === market.symbol);
  return held === undefined ? 0n : lotsOf(held.size, market);
}

function integerShape(shape: MakerShape, market: MarketInfo): QuoteShape {
  return {
    levels: shape.levels,
    halfSpreadPpm: BigInt(shape.halfSpreadPpm),
    stepPpm: BigInt(shape.stepPpm),
    sizeLots: lotsOf(shape.size, market),
    inventoryMaxLots: lotsOf(shape.inventoryMax, market),
    skewPpm: BigInt(shape.skewPpm),
  };
}

function quoteOf(order: OpenOrder, market: MarketInfo): Quote {
  return {
    side: order.side,
    ticks: ticksOf(order.price, market),
    lots: lotsOf(order.remainingSize, market),
  };
}

/** Whole ticks of a price. */
export function ticksOf(price: string, { tickSize }: { readonly tickSize: string }): bigint {
  return steps(price, tickSize);
}

/** Whole lots of a size, sign kept. */
export function lotsOf(size: string, { lotSize }: { readonly lotSize: string }): bigint {
  return size.startsWith("-") ? -steps(size.slice(1), lotSize) : steps(size, lotSize);
}

function steps(text: string, step: string): bigint {
  const places = Math.max(readDecimal("value", text).places, readDecimal("step", step).places);
  return toUnits("value", text, places) / toUnits("step", step, places);
}

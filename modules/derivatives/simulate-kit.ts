/** What simulated messages are made of: prices near the mark, sizes worth something, and accounts that send them. */
import { type NewOrder, NewOrder as NewOrderCodec } from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { ReadContext } from "../kit/context.ts";
import { mulDivDown } from "../kit/math/mul-div.ts";
import { isBatch } from "./auction/opening.ts";
import { formatPrice, formatSize, type Instrument } from "./instruments.ts";
import type { Random } from "./random.ts";

export interface SimulatedAccount {
  readonly owner: string;
  readonly subaccount: number;
}

export interface SimulatedMessage {
  readonly typeUrl: string;
  readonly value: object;
}

/** A market with a price. */
export interface SimulatedMarket {
  readonly instrument: Instrument;
  readonly markTicks: bigint;
  /** Of a lot, in quanta: what sizes are measured by. */
  readonly notionalPerLot: bigint;
}

export interface Operation {
  readonly name: string;
  /** How often, relative to the others. */
  readonly weight: number;
  /** null: not in these markets. */
  create(
    ctx: ReadContext,
    random: Random,
    account: SimulatedAccount,
    market: SimulatedMarket,
    all: readonly SimulatedMarket[],
    accounts: readonly SimulatedAccount[],
  ): SimulatedMessage | null;
}

export const TYPE = "/keel.derivatives.v1.";
export const CLIENT_IDS = 8;
export const BUY = 1;
export const SELL = 2;
export const LIMIT = 1;
export const MARKET = 2;
export const IOC = 2;
export const FOK = 3;

/** Mark moved by −spread..+spread ppm, in ticks, at least 1. */
export function near(markTicks: bigint, random: Random, spreadPpm: number): bigint {
  const offset = BigInt(random.below(2 * spreadPpm + 1) - spreadPpm);
  const ticks = markTicks + mulDivDown(markTicks, offset, 1_000_000n);
  return ticks < 1n ? 1n : ticks;
}

export function priceNear(market: SimulatedMarket, random: Random, spreadPpm: number): string {
  return formatPrice(market.instrument, near(market.markTicks, random, spreadPpm));
}

/** Lots worth about 50 to 5,000 units at mark, times `parts`. */
export function someSize(
  { instrument, notionalPerLot }: SimulatedMarket,
  random: Random,
  parts: bigint = 1n,
): string {
  const units = BigInt(50 + random.below(4951));
  const lots = mulDivDown(units, 1_000_000n, notionalPerLot);
  return formatSize(instrument, (lots < 1n ? 1n : lots) * parts);
}

/** Orders of an auction are named by it, so there it is seldom one in use. */
function someClientId(instrument: Instrument, random: Random): string {
  if (isBatch(instrument)) return `s${random.below(20 * CLIENT_IDS)}`;
  return random.below(3) === 0 ? `s${random.below(CLIENT_IDS)}` : "";
}

export function newOrder(
  market: SimulatedMarket,
  random: Random,
  change: Partial<NewOrder>,
  spreadPpm: number,
): NewOrder {
  return NewOrderCodec.fromPartial({
    market: market.instrument.symbol,
    side: random.below(2) === 0 ? BUY : SELL,
    type: LIMIT,
    price: priceNear(market, random, spreadPpm),
    size: someSize(market, random),
    clientId: someClientId(market.instrument, random),
    ...change,
  } as Partial<NewOrder>);
}

export function place(account: SimulatedAccount, order: NewOrder): SimulatedMessage {
  const { owner: sender, subaccount } = account;
  return { typeUrl: `${TYPE}MsgPlaceOrder`, value: { sender, owner: "", subaccount, ...order } };
}

export function placing(
  name: string,
  weight: number,
  spreadPpm: number,
  change: (random: Random, ctx: ReadContext, market: SimulatedMarket) => Partial<NewOrder>,
): Operation {
  return {
    name,
    weight,
    create: (ctx, random, account, market) =>
      place(account, newOrder(market, random, change(random, ctx, market), spreadPpm)),
  };
}

export function soonMs(ctx: ReadContext, random: Random): bigint {
  return mulDivDown(ctx.header.timeNs, 1n, 1_000_000n) + BigInt(random.below(20_000));
}

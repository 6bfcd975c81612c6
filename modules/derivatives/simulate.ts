/**
 * Weighted random operations for simulation: messages as traders and makers would send them, mostly sensible, some wrong on purpose.
 * Everything comes from the given generator and state, so one seed gives one history.
 */
import { type NewOrder, NewOrder as NewOrderCodec } from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { ReadContext } from "../kit/context.ts";
import { mulDivDown } from "../kit/math/mul-div.ts";
import {
  type ExternalOperation,
  externalOperations,
  type SimulatedWallets,
} from "./external/simulate.ts";
import { formatPrice, formatSize, type Instrument } from "./instruments.ts";
import type { DerivativesKeeper } from "./keeper.ts";
import type { Mark } from "./marks.ts";
import { isBatch } from "./opening.ts";
import type { Random } from "./random.ts";

export interface SimulatedAccount {
  readonly owner: string;
  readonly subaccount: number;
}

export interface SimulatedMessage {
  readonly typeUrl: string;
  readonly value: object;
}

export interface SimulatedMarket {
  readonly instrument: Instrument;
  readonly mark: Mark;
}

export interface Operation {
  readonly name: string;
  /** How often, relative to the others. */
  readonly weight: number;
  create(
    ctx: ReadContext,
    random: Random,
    account: SimulatedAccount,
    market: SimulatedMarket,
  ): SimulatedMessage;
}

const TYPE = "/keel.derivatives.v1.";
const CLIENT_IDS = 8;

const BUY = 1;
const SELL = 2;
const LIMIT = 1;
const MARKET = 2;
const IOC = 2;
const FOK = 3;

/** Mark moved by −spread..+spread ppm, in ticks, at least 1. */
function near(markTicks: bigint, random: Random, spreadPpm: number): bigint {
  const offset = BigInt(random.below(2 * spreadPpm + 1) - spreadPpm);
  const ticks = markTicks + mulDivDown(markTicks, offset, 1_000_000n);
  return ticks < 1n ? 1n : ticks;
}

/** Lots worth about 50 to 5,000 units at mark, of an option in its underlying. */
function someLots({ notionalPerLot }: Mark, random: Random): bigint {
  const units = BigInt(50 + random.below(4951));
  const lots = mulDivDown(units, 1_000_000n, notionalPerLot);
  return lots < 1n ? 1n : lots;
}

/** Orders of an auction are named by it, so there it is seldom one in use. */
function someClientId(instrument: Instrument, random: Random): string {
  if (isBatch(instrument)) return `s${random.below(20 * CLIENT_IDS)}`;
  return random.below(3) === 0 ? `s${random.below(CLIENT_IDS)}` : "";
}

function newOrder(
  { instrument, mark }: SimulatedMarket,
  random: Random,
  change: Partial<NewOrder>,
  spreadPpm: number,
): NewOrder {
  return NewOrderCodec.fromPartial({
    market: instrument.symbol,
    side: random.below(2) === 0 ? BUY : SELL,
    type: LIMIT,
    price: formatPrice(instrument, near(mark.ticks, random, spreadPpm)),
    size: formatSize(instrument, someLots(mark, random)),
    clientId: someClientId(instrument, random),
    ...change,
  });
}

function place(account: SimulatedAccount, order: NewOrder): SimulatedMessage {
  const { owner: sender, subaccount } = account;
  return { typeUrl: `${TYPE}MsgPlaceOrder`, value: { sender, owner: "", subaccount, ...order } };
}

function placing(
  name: string,
  weight: number,
  spreadPpm: number,
  change: (random: Random, ctx: ReadContext) => Partial<NewOrder>,
): Operation {
  return {
    name,
    weight,
    create: (ctx, random, account, market) =>
      place(account, newOrder(market, random, change(random, ctx), spreadPpm)),
  };
}

function soonMs(ctx: ReadContext, random: Random): bigint {
  return mulDivDown(ctx.header.timeNs, 1n, 1_000_000n) + BigInt(random.below(20_000));
}

export const operations: readonly Operation[] = [
  placing("limit", 30, 3000, () => ({})),
  placing("limit with an end", 8, 3000, (random, ctx) => ({ goodTilMs: soonMs(ctx, random) })),
  placing("post-only", 12, 4000, () => ({ postOnly: true })),
  placing("immediate", 10, 3000, () => ({ timeInForce: IOC })),
  placing("fill or kill", 4, 3000, () => ({ timeInForce: FOK })),
  placing("market", 10, 0, () => ({ type: MARKET, price: "" })),
  placing("reduce-only", 8, 3000, () => ({ reduceOnly: true })),
  placing("reduce-only market", 6, 0, () => ({ type: MARKET, price: "", reduceOnly: true })),
  placing("own orders first", 3, 3000, (random) => ({
    selfTradePrevention: 1 + random.below(2) === 1 ? 1 : 2,
  })),
  placing("beyond the band", 2, 200_000, () => ({})),
  placing("off tick", 1, 0, () => ({ price: "0.123456789" })),
  {
    name: "cancel",
    weight: 14,
    create: (_ctx, random, { owner: sender, subaccount }, { instrument }) => ({
      typeUrl: `${TYPE}MsgCancelOrder`,
      value: {
        sender,
        owner: "",
        subaccount,
        market: instrument.symbol,
        orderId: 0n,
        clientId: `s${random.below(CLIENT_IDS)}`,
      },
    }),
  },
  {
    name: "cancel all",
    weight: 3,
    create: (_ctx, random, { owner: sender, subaccount }, { instrument }) => ({
      typeUrl: `${TYPE}MsgCancelAll`,
      value: {
        sender,
        owner: "",
        subaccount,
        market: random.below(2) === 0 ? "" : instrument.symbol,
      },
    }),
  },
  {
    name: "requote",
    weight: 8,
    create: (_ctx, random, { owner: sender, subaccount }, market) => ({
      typeUrl: `${TYPE}MsgBatchOrders`,
      value: {
        sender,
        owner: "",
        subaccount,
        cancels: [0, 1].map((n) => ({
          market: market.instrument.symbol,
          orderId: 0n,
          clientId: `s${n}`,
        })),
        orders: [BUY, SELL].map((side, n) =>
          newOrder(
            market,
            random,
            { side: side === BUY ? BUY : SELL, clientId: `s${n}`, postOnly: true },
            2000,
          ),
        ),
      },
    }),
  },
];

const EXTERNAL_TOTAL = externalOperations.reduce((sum, { weight }) => sum + weight, 0);

/** Null: one of the others. */
function drawExternal(random: Random): ExternalOperation | null {
  let dice = random.below(EXTERNAL_TOTAL + WEIGHT_TOTAL);
  for (const operation of externalOperations) {
    dice -= operation.weight;
    if (dice < 0) return operation;
  }
  return null;
}

const WEIGHT_TOTAL = operations.reduce((sum, { weight }) => sum + weight, 0);

/**
 * One random message of one of the accounts in one of the markets that have a price, or null without such a market. With `wallets`, also
 * trades agreed off-chain, transfers and trading keys.
 */
export function simulateMessage(
  ctx: ReadContext,
  keeper: Pick<DerivativesKeeper, "marketIds" | "terms" | "mark">,
  random: Random,
  accounts: readonly SimulatedAccount[],
  wallets: SimulatedWallets | null = null,
): { readonly operation: string; readonly message: SimulatedMessage } | null {
  const account = accounts[random.below(accounts.length)];
  const ids = keeper.marketIds(ctx);
  const id = ids[random.below(ids.length)];
  const instrument = id === undefined ? undefined : keeper.terms(ctx, id);
  const mark = id === undefined ? undefined : keeper.mark(ctx, id);
  if (account === undefined || instrument === undefined || mark === undefined) return null;
  if (wallets !== null) {
    const other = accounts[random.below(accounts.length)] ?? account;
    const external = drawExternal(random);
    if (external !== null) {
      const at = { ctx, random, account, other, instrument, markTicks: mark.ticks, wallets };
      return { operation: external.name, message: external.create(at) };
    }
  }
  let dice = random.below(WEIGHT_TOTAL);
  for (const operation of operations) {
    dice -= operation.weight;
    if (dice >= 0) continue;
    const market = { instrument, mark };
    return { operation: operation.name, message: operation.create(ctx, random, account, market) };
  }
  return null;
}

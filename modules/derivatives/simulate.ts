/**
 * Weighted random operations for simulation: messages as traders and makers would send them, mostly sensible, some wrong on purpose.
 * Everything comes from the given generator and state, so one seed gives one history.
 */
import type { ReadContext } from "../kit/context.ts";
import {
  type ExternalOperation,
  externalOperations,
  type SimulatedWallets,
} from "./external/simulate.ts";
import { feeOperations } from "./fees/simulate.ts";
import type { DerivativesKeeper } from "./keeper.ts";
import type { Random } from "./random.ts";
import {
  BUY,
  CLIENT_IDS,
  FOK,
  IOC,
  MARKET,
  newOrder,
  type Operation,
  placing,
  SELL,
  type SimulatedAccount,
  type SimulatedMarket,
  type SimulatedMessage,
  soonMs,
  TYPE,
} from "./simulate-kit.ts";
import { conditionalOperations } from "./waiting/simulate.ts";

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
        amendments: [],
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
  ...conditionalOperations,
  ...feeOperations,
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
  const markets = keeper.marketIds(ctx).flatMap((id): SimulatedMarket[] => {
    const instrument = keeper.terms(ctx, id);
    const mark = keeper.mark(ctx, id);
    const known = instrument !== undefined && mark !== undefined;
    if (!known) return [];
    return [{ instrument, markTicks: mark.ticks, notionalPerLot: mark.notionalPerLot }];
  });
  const market = markets[random.below(markets.length)];
  if (account === undefined || market === undefined) return null;
  if (wallets !== null) {
    const other = accounts[random.below(accounts.length)] ?? account;
    const external = drawExternal(random);
    if (external !== null) {
      const at = { ctx, random, account, other, ...market, wallets };
      return { operation: external.name, message: external.create(at) };
    }
  }
  let dice = random.below(WEIGHT_TOTAL);
  for (const operation of operations) {
    dice -= operation.weight;
    if (dice >= 0) continue;
    const message = operation.create(ctx, random, account, market, markets, accounts);
    return message === null ? null : { operation: operation.name, message };
  }
  return null;
}

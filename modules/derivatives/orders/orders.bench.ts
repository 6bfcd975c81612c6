/** Orders through decode, checks, margin, book and response, on the real margin; without signatures and commitment. */
import type { FeeParams } from "@keel/proto/gen/keel/derivatives/v1/fees";
import { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import type { AuctionTerms } from "@keel/proto/gen/keel/derivatives/v1/types";
import { GenesisState as MarginGenesis } from "@keel/proto/gen/keel/margin/v1/genesis";
import { bench, describe } from "vitest";
import { accountId } from "../../kit/account-id.ts";
import { Registry } from "../../kit/collections/schema.ts";
import type { ModuleDefinition } from "../../kit/module.ts";
import { testContext } from "../../kit/testing/context.ts";
import { createMargin, type Margin } from "../../margin/module.ts";
import { defaultParams as marginParams } from "../../margin/params.ts";
import { noBackstop } from "../../margin/testing/no-backstop.ts";
import { defaultAuctionTerms, defaultParams } from "../defaults.ts";
import { simulatedFeeParams } from "../fees/simulate.ts";
import { createDerivatives } from "../module.ts";
import type { ClearingPort } from "../ports.ts";
import {
  createTestVenue,
  NO_SURFACES,
  TEST_ADDRESSES,
  testMarket,
  testPrice,
  testVerify,
} from "../testing.ts";

const ACCOUNTS = 200;

function createBench(auction?: AuctionTerms, feeParams?: FeeParams) {
  const registry = new Registry();
  let margin: Margin | undefined;
  const late = (): Margin["keeper"] => (margin as Margin).keeper;
  const clearing: ClearingPort = {
    clear: (ctx, trade) => late().clear(ctx, trade),
    clearAll: (...args) => late().clearAll(...args),
    portAccount: (...args) => late().portAccount(...args),
    clearAuction: (ctx, trade) => late().clearAuction(ctx, trade),
    adjustOpenOrders: (ctx, id, market, side, lots, fee) =>
      late().adjustOpenOrders(ctx, id, market, side, lots, fee),
    shareFees: (ctx, id, quanta) => late().shareFees(ctx, id, quanta),
    requireInitial: (ctx, id) => late().requireInitial(ctx, id),
    keepHealthy: (ctx, market, change) => late().keepHealthy(ctx, market, change),
    positionLots: (ctx, id, market) => late().positionLots(ctx, id, market),
    exists: (ctx, id) => late().exists(ctx, id),
    openInterestLots: (ctx, market) => late().openInterestLots(ctx, market),
    account: (ctx, id) => late().account(ctx, id),
  };
  const price = testPrice(60_000);
  const derivatives = createDerivatives(registry.schema("derivatives"), {
    addresses: TEST_ADDRESSES,
    clearing,
    bank: { transfer: () => undefined, balance: () => 0n },
    oracle: { price: () => price, feed: () => undefined, ...NO_SURFACES },
    verify: testVerify,
    keyAccounts: { ensureKey: () => undefined },
  });
  margin = createMargin(registry.schema("margin"), {
    backstop: noBackstop,
    addresses: TEST_ADDRESSES,
    bank: { transfer: () => undefined, balance: () => 0n, isBlocked: () => false },
    insurance: {
      balance: () => 0n,
      available: () => 0n,
      funded: () => 0n,
      credit: () => undefined,
      allocate: () => [],
      recover: () => undefined,
      hasFund: () => false,
      fundBalance: () => 0n,
      fundAvailable: () => 0n,
      assessable: () => 0n,
      riskClasses: () => [],
      inventory: () => 0n,
      purse: () => 0n,
      buy: () => undefined,
      sell: () => undefined,
    },
    prices: { price: () => price },
    markets: derivatives.keeper,
  });
  const ctx = testContext(registry);
  const init = ({ genesis }: ModuleDefinition, bytes: Uint8Array): void => {
    if (genesis.kind === "proto") genesis.init(ctx, bytes);
  };
  const { terms } = testMarket();
  const market = testMarket({ terms: { ...terms!, openOrdersMax: 1000, auction } });
  const entry = {
    market,
    counters: undefined,
    funding: undefined,
    fundingHistory: undefined,
    auction: undefined,
  };
  init(
    margin.module,
    MarginGenesis.encode(MarginGenesis.fromPartial({ params: marginParams("uusdc") })).finish(),
  );
  init(
    derivatives.module,
    GenesisState.encode(
      GenesisState.fromPartial({ params: defaultParams(), markets: [entry], feeParams }),
    ).finish(),
  );
  const owners = Array.from({ length: ACCOUNTS }, (_, i) => new Uint8Array(20).fill(i));
  for (const owner of owners) late().deposit(ctx, owner, accountId(owner, 0), 10n ** 13n);
  const place = derivatives.module.messages[0]!;
  const { order } = createTestVenue();
  const encode = (owner: Uint8Array, text: string): Uint8Array =>
    place.encode({
      sender: TEST_ADDRESSES.format(owner),
      owner: "",
      subaccount: 0,
      ...order(text),
    });
  const orders = (count: number, text: (i: number) => string): Uint8Array[] =>
    Array.from({ length: count }, (_, i) => encode(owners[(i * 7 + 3) % ACCOUNTS]!, text(i)));
  const message = { ...ctx, signers: [] };
  return {
    orders,
    run(list: readonly Uint8Array[]) {
      for (const bytes of list) {
        const decoded = place.decode(bytes);
        place.validate(decoded);
        place.handle(message, decoded);
      }
    },
    endBlock: () => derivatives.keeper.endBlock(ctx),
    clear() {
      for (const owner of owners) derivatives.keeper.cancelOrders(ctx, accountId(owner, 0), "user");
      ctx.state.clearJournal();
      ctx.events.length = 0;
    },
  };
}

describe("derivatives::orders/batch=1000", () => {
  const resting = createBench();
  const quotes = resting.orders(1000, (i) => {
    const away = (i * 13) % 500;
    return i % 2 === 0 ? `buy 0.01 @ ${59_990 - away}` : `sell 0.01 @ ${60_010 + away}`;
  });
  const steady = { warmupIterations: 30, time: 3000 };
  bench(
    "1,000 orders that rest, and their cancels",
    () => {
      resting.run(quotes);
      resting.clear();
    },
    steady,
  );
  const crossing = createBench();
  const trades = crossing.orders(1000, (i) => `${i % 2 === 0 ? "buy" : "sell"} 0.01 @ 60000`);
  bench(
    "1,000 orders of which every second one trades",
    () => {
      crossing.run(trades);
      crossing.clear();
    },
    steady,
  );
  const counted = createBench(undefined, {
    ...simulatedFeeParams(),
    actionBudget: { initial: 1n << 50n, quantaPerAction: 1n, trickleMs: 1n },
  });
  const counting = counted.orders(1000, (i) => `${i % 2 === 0 ? "buy" : "sell"} 0.01 @ 60000`);
  bench(
    "the same with fee tiers, referral and an action budget",
    () => {
      counted.run(counting);
      counted.clear();
    },
    steady,
  );
  const auctioned = createBench(defaultAuctionTerms());
  const collected = auctioned.orders(1000, (i) => {
    const price = 60_000 + ((i * 13) % 41) - 20;
    return `${i % 2 === 0 ? "buy" : "sell"} 0.01 @ ${price} id=o${i}`;
  });
  bench(
    "1,000 orders collected and cleared in one auction",
    () => {
      auctioned.run(collected);
      auctioned.endBlock();
      auctioned.clear();
    },
    steady,
  );
});

/** The whole market: derivatives with the real margin, insurance and bank, and a settable oracle. */

import { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import { GenesisState as InsuranceGenesis } from "@keel/proto/gen/keel/insurance/v1/genesis";
import { Fund } from "@keel/proto/gen/keel/insurance/v1/types";
import { GenesisState as MarginGenesis } from "@keel/proto/gen/keel/margin/v1/genesis";
import { describe, expect, it } from "vitest";
import { createBank } from "../bank/module.ts";
import { createInsurance } from "../insurance/module.ts";
import { defaultParams as insuranceParams } from "../insurance/params.ts";
import { NO_ASSETS, UNCOUNTED } from "../insurance/ports.ts";
import { type AccountId, accountId } from "../kit/account-id.ts";
import { atomically } from "../kit/atomically.ts";
import { Registry } from "../kit/collections/schema.ts";
import type { ModuleDefinition } from "../kit/module.ts";
import { testContext } from "../kit/testing/context.ts";
import { createMargin, type Margin } from "../margin/module.ts";
import { defaultParams as marginParams } from "../margin/params.ts";
import { COLLATERAL_VAULT } from "../margin/state.ts";
import { noBackstop } from "../margin/testing/no-backstop.ts";
import { createTestPrices } from "../testing/prices.ts";
import { defaultParams } from "./defaults.ts";
import { createDerivatives } from "./module.ts";
import { parseRequest } from "./orders/requests.ts";
import type { ClearingPort } from "./ports.ts";
import { createRandom } from "./random.ts";
import {
  createTestVenue,
  NO_SURFACES,
  TEST_ADDRESSES,
  testMarket,
  testPrice,
  testVerify,
} from "./testing.ts";

const DENOM = "uusdc";
const UNIT = 1_000_000n;
// Only its way of writing an order in one line.
const { order: orderOf } = createTestVenue();

function createWorld(fundUnits = 0n) {
  const registry = new Registry();
  const addresses = TEST_ADDRESSES;
  const bank = createBank(registry.schema("bank"), {
    addresses,
    blocked: [],
    accounts: { ensure: () => undefined },
  });
  const insurance = createInsurance(registry.schema("insurance"), {
    addresses,
    bank: bank.keeper,
    vault: COLLATERAL_VAULT,
    shortfalls: { pendingShortfall: () => 0n, recoverable: () => ({ amount: 0n, ownShares: 0n }) },
    assets: NO_ASSETS,
    flows: UNCOUNTED,
  });
  const prices = createTestPrices(registry);
  let margin: Margin | undefined;
  // Margin is built after derivatives and needs it: the composition root delegates like this.
  const clearing: ClearingPort = {
    clear: (ctx, trade) => (margin as Margin).keeper.clear(ctx, trade),
    clearAll: (...args) => (margin as Margin).keeper.clearAll(...args),
    portAccount: (...args) => (margin as Margin).keeper.portAccount(...args),
    clearAuction: (ctx, trade) => (margin as Margin).keeper.clearAuction(ctx, trade),
    adjustOpenOrders: (...args) => (margin as Margin).keeper.adjustOpenOrders(...args),
    shareFees: (ctx, id, quanta) => (margin as Margin).keeper.shareFees(ctx, id, quanta),
    requireInitial: (ctx, id) => (margin as Margin).keeper.requireInitial(ctx, id),
    keepHealthy: (ctx, market, change) =>
      (margin as Margin).keeper.keepHealthy(ctx, market, change),
    positionLots: (ctx, id, market) => (margin as Margin).keeper.positionLots(ctx, id, market),
    exists: (ctx, id) => (margin as Margin).keeper.exists(ctx, id),
    openInterestLots: (ctx, market) => (margin as Margin).keeper.openInterestLots(ctx, market),
    account: (ctx, id) => (margin as Margin).keeper.account(ctx, id),
  };
  const derivatives = createDerivatives(registry.schema("derivatives"), {
    addresses,
    clearing,
    bank: bank.keeper,
    oracle: { price: prices.price, feed: () => undefined, ...NO_SURFACES },
    verify: testVerify,
    keyAccounts: { ensureKey: () => undefined },
  });
  margin = createMargin(registry.schema("margin"), {
    backstop: noBackstop,
    addresses,
    bank: bank.keeper,
    insurance: insurance.keeper,
    prices,
    markets: derivatives.keeper,
  });
  const { keeper } = margin;
  const modules: ModuleDefinition[] = [
    derivatives.module,
    margin.module,
    insurance.module,
    bank.module,
  ];
  const ctx = testContext(registry);
  prices.set(ctx, 1, testPrice(60_000));

  const init = (module: ModuleDefinition, bytes: Uint8Array): void => {
    if (module.genesis.kind !== "proto") throw new Error("expected proto genesis");
    module.genesis.init(ctx, bytes);
  };
  const owner = (n: number): Uint8Array => new Uint8Array(20).fill(n);
  const fund = Fund.fromPartial({
    denom: DENOM,
    balance: `${fundUnits * UNIT}`,
    funded: `${fundUnits * UNIT}`,
    received: "0",
    paid: "0",
  });
  if (fundUnits > 0n)
    bank.keeper.mint(ctx, COLLATERAL_VAULT, { denom: DENOM, amount: fundUnits * UNIT });
  init(
    insurance.module,
    InsuranceGenesis.encode(
      InsuranceGenesis.fromPartial({
        params: insuranceParams(),
        funds: fundUnits > 0n ? [fund] : [],
      }),
    ).finish(),
  );
  init(
    margin.module,
    MarginGenesis.encode(MarginGenesis.fromPartial({ params: marginParams(DENOM) })).finish(),
  );
  const markets = [
    {
      market: testMarket(),
      counters: undefined,
      funding: undefined,
      fundingHistory: undefined,
      auction: undefined,
    },
  ];
  init(
    derivatives.module,
    GenesisState.encode(GenesisState.fromPartial({ params: defaultParams(), markets })).finish(),
  );

  return {
    ctx,
    margin,
    keeper: derivatives.keeper,
    insurance: insurance.keeper,
    fresh(value: number, fresh = true) {
      prices.set(ctx, 1, testPrice(value, fresh));
    },
    account: (n: number) => accountId(owner(n), 0),
    /** Owner n with that many units of collateral in sub-account 0. */
    funded(n: number, units: bigint): AccountId {
      bank.keeper.mint(ctx, owner(n), { denom: DENOM, amount: units * UNIT });
      const id = accountId(owner(n), 0);
      keeper.deposit(ctx, owner(n), id, units * UNIT);
      return id;
    },
    place: (id: AccountId, text: string) =>
      atomically(ctx, (inner) => derivatives.keeper.place(inner, id, parseRequest(orderOf(text)))),
    lots: (id: AccountId) => keeper.positionLots(ctx, id, 1),
    equity: (id: AccountId) => keeper.health(ctx, id)?.equity ?? 0n,
    /** The hooks in the chain's order. */
    block(seconds = 1) {
      for (const module of [derivatives.module, margin?.module]) module?.endBlock?.(ctx);
      ctx.nextBlock(seconds);
      derivatives.module.beginBlock?.(ctx);
    },
    violation() {
      for (const module of modules) {
        for (const [name, holds] of Object.entries({
          ...module.invariants.running,
          ...module.invariants.full,
        })) {
          const fault = holds(ctx);
          if (fault !== null) return `${module.name} ${name}: ${fault}`;
        }
      }
      return null;
    },
  };
}

describe("the market with the real clearing house", () => {
  it("lets two traders and a maker trade, and closes the one who can no longer carry the position", () => {
    const world = createWorld(1_000n);
    const maker = world.funded(1, 1_000_000n);
    const bull = world.funded(2, 5_000n);
    const bear = world.funded(3, 50_000n);

    // A maker quotes; the bull buys 1 BTC with 12x, the bear sells half a coin.
    world.place(maker, "sell 2 @ 60000 post");
    world.place(maker, "buy 2 @ 59990 post");
    expect(world.place(bull, "buy 1 @ 60000")).toMatchObject({
      status: 2,
      averagePrice: "60000",
      fee: "30",
    });
    expect(world.place(bear, "sell 0.5 market")).toMatchObject({
      status: 2,
      averagePrice: "59990",
    });
    expect([world.lots(maker), world.lots(bull), world.lots(bear)]).toEqual([-500n, 1000n, -500n]);
    expect(world.violation()).toBeNull();
    // Beyond margin, whatever the way it is asked for; nothing changes.
    expect(() => world.place(bull, "buy 5 @ 59000")).toThrow(
      expect.objectContaining({ codespace: "margin" }),
    );
    expect(() => world.place(bull, "buy 1 market")).toThrow(
      expect.objectContaining({ codespace: "margin" }),
    );
    expect(world.violation()).toBeNull();

    // The bull leaves a take-profit and a bid; the price falls by 7 %.
    world.place(bull, "sell 1 @ 62000 reduce");
    world.place(bull, "buy 0.01 @ 58000");
    world.block();
    world.fresh(56_000);
    world.place(maker, "buy 3 @ 55900 post");
    expect(world.violation()).toBeNull();
    world.ctx.events.length = 0;
    world.block();

    const types = world.ctx.events.map(({ type }) => type);
    expect(types).toContain("trade");
    expect(types).toContain("liquidation");
    expect(world.lots(bull)).toBeLessThan(1000n);
    // Its resting orders went first.
    const cancelled = world.ctx.events.filter(({ type }) => type === "order_cancelled");
    expect(cancelled.length).toBeGreaterThanOrEqual(2);
    const trade = world.ctx.events.find(({ type }) => type === "trade");
    const attributes = Object.fromEntries(
      (trade?.attributes ?? []).map(({ key, value }) => [key, value]),
    );
    expect(attributes).toMatchObject({ liquidation: "true", taker_fee: "0", side: "sell" });
    expect(world.equity(bull)).toBeGreaterThanOrEqual(0n);
    expect(world.insurance.balance(world.ctx, DENOM)).toBeGreaterThan(1_000n * UNIT);
    expect(world.lots(maker) + world.lots(bull) + world.lots(bear)).toBe(0n);
    expect(world.violation()).toBeNull();
  });

  it("liquidates nobody on a stale price, and everybody who needs it once it is fresh", () => {
    const world = createWorld(100_000n);
    const maker = world.funded(1, 1_000_000n);
    const bull = world.funded(2, 4_000n);
    world.place(maker, "sell 1 @ 60000 post");
    world.place(bull, "buy 1 @ 60000");
    world.fresh(56_200, false);
    world.block();
    expect(world.lots(bull)).toBe(1000n);
    world.fresh(56_200);
    world.place(maker, "buy 2 @ 56200 post");
    world.block();
    expect(world.lots(bull)).toBe(0n);
    expect(world.violation()).toBeNull();
  });

  it("cancels a maker that lost its margin and fills the taker from the next", () => {
    const world = createWorld();
    const strong = world.funded(1, 1_000_000n);
    const weak = world.funded(2, 4_000n);
    const taker = world.funded(3, 1_000_000n);
    // The weak maker is long 1, and quotes for another.
    world.place(strong, "sell 1 @ 60000");
    world.place(weak, "buy 0.9 @ 60000");
    world.place(weak, "buy 0.2 @ 58400");
    world.place(strong, "buy 1 @ 58000");
    world.fresh(58_400);
    const result = world.place(taker, "sell 0.5 @ 58000");
    expect(result).toMatchObject({ status: 2, averagePrice: "58000" });
    expect(world.ctx.events.filter(({ type }) => type === "order_cancelled")).toHaveLength(1);
    expect(world.violation()).toBeNull();
  });

  it("moves funding between the two sides to the unit", () => {
    const world = createWorld();
    const [long, short] = [world.funded(1, 100_000n), world.funded(2, 100_000n)];
    world.place(short, "sell 1 @ 60000");
    world.place(long, "buy 1 @ 60000");
    world.place(long, "buy 1 @ 60300");
    const before = world.equity(long) + world.equity(short);
    for (let i = 0; i < 200; i++) world.block(37);
    expect(world.keeper.fundingIndex(world.ctx, 1)).toBeGreaterThan(0n);
    expect(world.equity(long) + world.equity(short)).toBe(before);
    expect(world.equity(short)).toBeGreaterThan(world.equity(long));
    expect(world.violation()).toBeNull();
  });

  it("keeps every invariant of all four modules through a random crash", () => {
    const world = createWorld(50_000n);
    const random = createRandom(7);
    const maker = world.funded(1, 5_000_000n);
    const traders = Array.from({ length: 12 }, (_, i) =>
      world.funded(10 + i, 2_000n + 500n * BigInt(i)),
    );
    let price = 60_000;
    let placed = 0;
    let liquidations = 0;
    for (let block = 0; block < 60; block++) {
      price = block < 20 ? price + random.below(101) - 50 : price - random.below(260);
      world.fresh(price);
      world.keeper.cancelAll(world.ctx, maker, "");
      for (let i = 1; i <= 5; i++) {
        world.place(maker, `buy 3 @ ${price - 20 * i}`);
        world.place(maker, `sell 3 @ ${price + 20 * i}`);
      }
      for (let i = 0; i < 6; i++) {
        const trader = traders[random.below(traders.length)] as AccountId;
        const side = random.below(3) === 0 ? "sell" : "buy";
        const kind = ["market", `@ ${price + random.below(80) - 40}`, "market reduce"][
          random.below(3)
        ];
        try {
          world.place(trader, `${side} ${(1 + random.below(8)) / 10} ${kind}`);
          placed += 1;
        } catch (error) {
          expect(error).toMatchObject({ name: "ModuleError" });
        }
      }
      world.ctx.events.length = 0;
      world.block();
      liquidations += world.ctx.events.filter(({ type }) => type === "liquidation").length;
      expect(world.violation()).toBeNull();
    }
    expect(placed).toBeGreaterThan(100);
    expect(liquidations).toBeGreaterThan(5);
  });

  it("holds every total through a fall with brackets, stops, slices and icebergs in it", () => {
    const world = createWorld(500_000n);
    const random = createRandom(11);
    const maker = world.funded(1, 5_000_000n);
    const traders = Array.from({ length: 10 }, (_, i) =>
      world.funded(10 + i, 1_500n + 400n * BigInt(i)),
    );
    const kinds = [
      "market tp=60300 sl=59700",
      "@ 60010 sl=59600",
      "market stop=59800",
      "market stop=59900 reduce",
      "market trail=150",
      "market trail=2000ppm reduce",
      "market twap=4/2000",
      "@ 60020 show=0.1",
      "@ 59990 decrement",
      "market slip=300",
    ];
    const seen = new Map<string, number>();
    let price = 60_000;
    for (let block = 0; block < 60; block++) {
      price = block < 30 ? price + random.below(101) - 50 : price - random.below(320);
      world.fresh(price);
      world.keeper.cancelAll(world.ctx, maker, "");
      for (let i = 1; i <= 5; i++) {
        world.place(maker, `buy 3 @ ${price - 20 * i}`);
        world.place(maker, `sell 3 @ ${price + 20 * i} show=1`);
      }
      for (let i = 0; i < 5; i++) {
        const trader = traders[random.below(traders.length)] as AccountId;
        const side = random.below(3) === 0 ? "sell" : "buy";
        const text = `${side} ${(2 + random.below(6)) / 10} ${kinds[random.below(kinds.length)]}`;
        try {
          world.place(trader, text);
        } catch (error) {
          expect(error).toMatchObject({ name: "ModuleError" });
        }
      }
      world.block();
      for (const { type } of world.ctx.events.splice(0)) seen.set(type, (seen.get(type) ?? 0) + 1);
      expect(world.violation()).toBeNull();
    }
    for (const type of ["order_triggered", "twap_slice", "order_refilled", "liquidation"]) {
      expect(seen.get(type) ?? 0, type).toBeGreaterThan(2);
    }
    // Nothing stays reserved when everything is cancelled.
    for (const trader of traders) {
      world.keeper.cancelAll(world.ctx, trader, "");
      const account = world.margin.keeper.account(world.ctx, trader);
      expect(account?.feeReserve).toBe(0n);
      for (const { openBuyLots, openSellLots } of account?.positions ?? [])
        expect([openBuyLots, openSellLots]).toEqual([0n, 0n]);
    }
    expect(world.violation()).toBeNull();
  });
});

import { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../derivatives/random.ts";
import type { AccountId } from "../../kit/account-id.ts";
import type { Account } from "../account-codec.ts";
import { marketViews } from "../health/market-view.ts";
import { modelledMarkets } from "../health/modelled-markets.ts";
import { portfolioRisk } from "../portfolio/account.ts";
import { models } from "../portfolio/testing/models.ts";
import { listen } from "../testing/reasons.ts";
import { BTC, btcTerms, createWorld, ETH, type World } from "../testing/world.ts";
import { bestSlice, partOfSlice } from "./slices.ts";
import { defaultLadder } from "./terms.ts";

const UNIT = 1_000_000n;
const FUTURE = 3;

/** 10 % of every price, and 2 % of what is hedged. */
const model = PortfolioModel.fromPartial({
  ...models.s35,
  name: "ten-percent",
  offsetCapPpm: 0n,
  collateral: [],
  underlyings: [{ underlying: "", rangeMinimumPpm: 100_000n, rangeMaximumPpm: 100_000n }],
  addOns: {
    deltaMinimum: {
      net: { initialPpm: 20_000n, maintenancePpm: 10_000n },
      hedged: { initialPpm: 20_000n, maintenancePpm: 10_000n },
      floor: true,
    },
  },
});

/** BTC-PERP and BTC-DEC hedge each other, ETH-PERP is alone. */
function world(): World {
  const made = createWorld({
    liquidationNotionalMin: "0",
    // Next to nothing: what a hedged pair releases is little beside what it trades.
    ...{ liquidationPenaltyPpm: 100n, liquidationSlippagePpm: 100n },
    ladder: {
      ...defaultLadder(),
      averageMs: 0n,
      flowPpm: 0n,
      offerWindowMs: 0n,
      penalty: undefined,
    },
  });
  const { ctx, markets } = made;
  markets.list(ctx, btcTerms());
  markets.list(ctx, btcTerms({ id: ETH, symbol: "ETH-PERP" }));
  markets.list(ctx, btcTerms({ id: FUTURE, symbol: "BTC-DEC" }));
  for (const id of [BTC, ETH, FUTURE]) markets.setMark(ctx, id, 50_000n);
  made.margin.keeper.setModel(ctx, model);
  return made;
}

function account(lots: readonly [btc: bigint, eth: bigint, future: bigint]): Account {
  const positions = [BTC, ETH, FUTURE].flatMap((market, i) => {
    const held = lots[i] ?? 0n;
    const open = { fundingIndex: 0n, openBuyLots: 0n, openSellLots: 0n };
    return held === 0n ? [] : [{ market, lots: held, quote: -held * 50_000_000n, ...open }];
  });
  return {
    collateral: 0n,
    feeReserve: 0n,
    portfolio: true,
    isolated: false,
    positions,
    assets: [],
    elsewhere: [],
  };
}

function viewsOf({ ctx, margin, markets }: World) {
  return marketViews(ctx, modelledMarkets(margin.state, markets, { price: () => undefined }));
}

describe("the slice that is closed", () => {
  const views = viewsOf(world());
  const legs = (...lots: Parameters<typeof account>) =>
    bestSlice(account(...lots), views)?.legs.map((leg) => [leg.market, Number(leg.lots)]);

  it("is of the leg that carries the risk, before any hedge", () => {
    expect(legs([100n, 0n, 0n])).toEqual([[BTC, 100]]);
    // All of it: nothing else would be left bare by it.
    expect(legs([0n, 0n, -40n])).toEqual([[FUTURE, 40]]);
  });

  it("is of the part of a leg that its hedge does not cover", () => {
    // 4 units a lot for these; for all 50 that are bare 3.5, since then the charge on the hedge binds.
    expect(legs([100n, 0n, -50n])).toEqual([[BTC, 25]]);
  });

  it("is a hedge and what it hedges together, where neither can go alone", () => {
    expect(legs([100n, 0n, -100n])).toEqual([
      [BTC, 100],
      [FUTURE, 100],
    ]);
  });

  it("releases maintenance and never raises the worst scenario loss, be it closed in part or whole", () => {
    const random = createRandom(9);
    const some = (): bigint => BigInt(random.below(201) - 100);
    let pairs = 0;
    for (let i = 0; i < 60; i++) {
      const before = account([some(), random.below(3) === 0 ? some() : 0n, some()]);
      if (before.positions.length === 0) continue;
      const risk = portfolioRisk(before, views);
      const slice = bestSlice(before, views);
      if (slice === null) throw new Error("something is held, so something can be released");
      if (slice.legs.length === 2) pairs += 1;
      for (const needed of [1n, 2n, 5n, 100n]) {
        const health = { equity: risk.maintenance - risk.maintenance / needed, ...risk };
        const part = partOfSlice(slice, health, {
          targetPpm: 1_000_000n,
          costsPpm: 0n,
          notionalMin: 0n,
        });
        const positions = before.positions.map((position) => {
          const leg = part.find(({ market }) => market === position.market);
          const lots = leg?.lots ?? 0n;
          return { ...position, lots: position.lots - (position.lots > 0n ? lots : -lots) };
        });
        const after = portfolioRisk({ ...before, positions }, views);
        expect(after.loss).toBeLessThanOrEqual(risk.loss);
        expect(after.maintenance).toBeLessThanOrEqual(risk.maintenance);
      }
    }
    expect(pairs).toBeGreaterThan(0);
  });
});

describe("a portfolio under water", () => {
  function hedged(): { made: World; alice: AccountId; bob: AccountId } {
    const made = world();
    const { ctx, margin, markets } = made;
    const alice = made.funded(1, 300n * UNIT);
    const bob = made.funded(2, 1_000_000n * UNIT);
    margin.keeper.setMode(ctx, alice, "portfolio");
    const trades = [
      [BTC, alice, bob],
      [FUTURE, bob, alice],
    ] as const;
    const result = margin.keeper.clearAll(
      ctx,
      trades.map(([market, buyer, seller]) => ({
        ...{ market, priceTicks: 50_000n, lots: 100n, taker: "buy", kind: "external" },
        buyer: { account: buyer, feeQuanta: 0n, orderId: null },
        seller: { account: seller, feeQuanta: 0n, orderId: null },
      })),
      [],
    );
    expect(result).toEqual({ ok: true });
    // The future has run away from the perpetual: 300 − 260 of 51.3 needed.
    markets.setMark(ctx, FUTURE, 52_600n);
    return { made, alice, bob };
  }

  const rest = (
    { ctx, markets }: World,
    account: AccountId,
    market: number,
    side: "buy" | "sell",
    ticks: bigint,
  ) => markets.rest(ctx, { account, market, side, ticks, lots: 1_000n, feeReserve: 0n });
  const lots = ({ ctx, margin }: World, id: AccountId) =>
    [BTC, FUTURE].map((market) => margin.keeper.positionLots(ctx, id, market));

  it("is made smaller on both sides at once", () => {
    const { alice, bob, made } = hedged();
    rest(made, bob, BTC, "buy", 50_000n);
    rest(made, bob, FUTURE, "sell", 52_600n);
    const { input, result } = listen(made.ctx);
    made.margin.keeper.endBlock(made.ctx);
    const [perpetual = 0n, future = 0n] = lots(made, alice);
    expect(perpetual).toBeLessThan(100n);
    expect(perpetual).toBeGreaterThan(0n);
    expect(perpetual + future).toBeGreaterThanOrEqual(-3n);
    expect(perpetual + future).toBeLessThanOrEqual(3n);
    const slices = made.ctx.events.filter(({ type }) => type === "liquidation_slice");
    expect(slices.length).toBeGreaterThan(0);
    const said = new Map(slices.at(-1)?.attributes.map(({ key, value }) => [key, value]));
    expect([
      input("liquidation_slice", "worst loss"),
      result("liquidation_slice", "released"),
      result("liquidation_slice", "worst loss after"),
    ]).toEqual(["worst_loss_before", "released", "worst_loss_after"].map((key) => said.get(key)));
    expect(made.violated()).toBeNull();
  });

  it("keeps its hedge when the book takes one side alone", () => {
    const { alice, bob, made } = hedged();
    rest(made, bob, BTC, "buy", 50_000n);
    made.margin.keeper.endBlock(made.ctx);
    expect(lots(made, alice)).toEqual([100n, -100n]);
    expect(made.ctx.events.filter(({ type }) => type === "liquidation")).toEqual([]);
    expect(made.violated()).toBeNull();
  });
});

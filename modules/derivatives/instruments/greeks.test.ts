import {
  QueryAccountGreeksRequest,
  QueryAccountGreeksResponse,
  QueryGreeksRequest,
  QueryGreeksResponse,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import { describe, expect, it } from "vitest";
import {
  BTC,
  createWorld,
  futureMarket,
  maturity,
  optionMarket,
  START_MS,
  SURFACE,
  type TestOption,
  VOL,
  type World,
} from "../../testing/world.ts";
import { defaultTerms, linearPerpetual } from "../defaults.ts";

const DAY_MS = 86_400_000;
const MONTH = maturity(START_MS + 30 * DAY_MS);

function greeks(world: World, market: string): QueryGreeksResponse {
  const route = world.module.queries.find(({ path }) => path.endsWith("Query/Greeks"));
  if (route === undefined) throw new Error("no query");
  const bytes = route.handle(world.ctx, QueryGreeksRequest.encode({ market }).finish());
  return QueryGreeksResponse.decode(bytes);
}

function accountGreeks(world: World, owner: number): QueryAccountGreeksResponse {
  const route = world.module.queries.find(({ path }) => path.endsWith("Query/AccountGreeks"));
  if (route === undefined) throw new Error("no query");
  const request = { owner: world.address(owner), subaccount: 0 };
  const bytes = route.handle(world.ctx, QueryAccountGreeksRequest.encode(request).finish());
  return QueryAccountGreeksResponse.decode(bytes);
}

/** Index 60,000, volatility 60 %. */
function open(index = "60000", volatility = "0.6"): World {
  const world = createWorld({ fundUnits: 1_000n });
  world.setPrice(BTC, index);
  world.setPrice(VOL, volatility);
  const terms = { baseAsset: "BTC", quoteAsset: "USD", feedId: BTC, tickSize: "0.5" };
  world.list({
    ...linearPerpetual({ symbol: "PERP", ...terms, lotSize: "0.001" }),
    terms: defaultTerms(),
  });
  world.list(futureMarket("FUT", MONTH));
  const option = (symbol: string, option: TestOption) =>
    world.list(optionMarket(symbol, MONTH, option));
  option("CALL", { strike: "60000" });
  option("PUT", { strike: "60000", right: "put" });
  option("CASH", { strike: "60000", payout: "1000" });
  option("MEAN", { strike: "60000", kind: "asian" });
  return world;
}

describe("Greeks of a market", () => {
  it("are those published for Black-76, scaled to a lot", () => {
    const world = open();
    const { delta, gamma, vega, theta, volatility, forward, fresh, lot } = greeks(world, "CALL");
    expect({ volatility, forward, fresh }).toEqual({
      volatility: "0.6",
      forward: "60000",
      fresh: true,
    });
    // Row R11 of thirty days; the mean of the window takes twenty minutes of it.
    expect(Number(delta)).toBeCloseTo(0.53427, 4);
    expect(Number(gamma) * 1e5).toBeCloseTo(3.8511, 2);
    expect(Number(vega) / 6837.06).toBeCloseTo(1, 3);
    expect(Number(theta) / -24955.26).toBeCloseTo(1, 3);
    // A lot is a hundredth: 600 of the underlying.
    expect(Number(lot?.delta) / 1e6).toBeCloseTo(600 * 0.53427, 1);
    expect(Number(lot?.gamma) / 1e6).toBeCloseTo((3.8511e-5 * 60_000 ** 2) / 1e4, 1);
    expect(Number(lot?.vega) / 1e6).toBeCloseTo(0.6837, 3);
    expect(Number(lot?.theta) / 1e6).toBeCloseTo(-24955.26 / 36_500, 3);
  });

  it("say what the mark does next, for every kind", () => {
    for (const symbol of ["CALL", "PUT", "CASH", "MEAN", "FUT", "PERP"]) {
      const here = greeks(open(), symbol);
      const up = greeks(open("60006"), symbol);
      const down = greeks(open("59994"), symbol);
      const wild = greeks(open("60000", "0.601"), symbol);
      const slope = (Number(up.price) - Number(down.price)) / 12;
      expect(Number(here.delta), `${symbol} delta`).toBeCloseTo(slope, 4);
      const bend = (Number(up.delta) - Number(down.delta)) / 12;
      expect(Number(here.gamma) * 1e4, `${symbol} gamma`).toBeCloseTo(bend * 1e4, 3);
      const vega = (Number(wild.price) - Number(here.price)) / 0.001;
      expect(Number(here.vega) / 1e4, `${symbol} vega`).toBeCloseTo(vega / 1e4, 2);
      const later = open();
      later.block(3600, () => {
        later.setPrice(BTC, "60000");
        later.setPrice(VOL, "0.6");
      });
      const theta = (Number(greeks(later, symbol).price) - Number(here.price)) * 8760;
      expect(Number(here.theta) / 1e5, `${symbol} theta`).toBeCloseTo(theta / 1e5, 2);
    }
  });

  it("cover the open interest, and are refused without a price", () => {
    const world = open();
    const [seller, buyer] = [world.funded(1, 100_000n), world.funded(2, 100_000n)];
    world.trade("CALL", seller, buyer, "2.5", "4000");
    const { lot, openInterest } = greeks(world, "CALL");
    expect(Number(openInterest?.vega)).toBeCloseTo(Number(lot?.vega) * 250, -3);
    expect(() => greeks(world, "NOPE")).toThrow(/no market/);
    const blind = createWorld();
    blind.list(futureMarket("FUT", MONTH));
    expect(() => greeks(blind, "FUT")).toThrow(/no price/);
  });

  it("use the surface at the instrument's own strike, and its forward", () => {
    const world = createWorld();
    world.setPrice(BTC, "60000");
    const expiries = [
      { expiryMs: MONTH.expiryMs, theta: (36n * 10n ** 18n * 30n) / 36_500n, basisPpm: 5_000 },
    ];
    world.setSurface({ rhoPpm: -300_000, etaPpm: 1_000_000, gammaPpm: 400_000, expiries });
    world.list(optionMarket("LOW", MONTH, { strike: "45000", right: "put", surface: SURFACE }));
    world.list(optionMarket("ATM", MONTH, { strike: "60300", surface: SURFACE }));
    expect(greeks(world, "ATM").forward).toBe("60300");
    expect(Number(greeks(world, "ATM").volatility)).toBeCloseTo(0.6, 6);
    expect(Number(greeks(world, "LOW").volatility)).toBeGreaterThan(0.62);
  });
});

describe("Greeks of an account", () => {
  it("sum its positions per underlying", () => {
    const world = open();
    const [seller, buyer] = [world.funded(1, 200_000n), world.funded(2, 200_000n)];
    world.trade("CALL", seller, buyer, "1", "4000");
    world.trade("PUT", buyer, seller, "1", "4000");
    world.trade("PERP", seller, buyer, "0.5", "60000");
    const found = accountGreeks(world, 2);
    expect(found.fresh && found.complete).toBe(true);
    expect(found.positions.map(({ market, size }) => [market, size])).toEqual([
      ["PERP", "0.5"],
      ["CALL", "1"],
      ["PUT", "-1"],
    ]);
    // Long call and short put is a forward; half a unit more of the perpetual.
    const [sum] = found.underlyings;
    expect(sum).toMatchObject({ feedId: BTC, baseAsset: "BTC" });
    expect(Number(sum?.exposure?.delta) / 1e6).toBeCloseTo(90_000, 3);
    expect(sum?.exposure).toMatchObject({ gamma: "0", vega: "0", theta: "0" });
    const other = accountGreeks(world, 1).underlyings[0]?.exposure;
    expect(Number(other?.delta)).toBe(-Number(sum?.exposure?.delta));
    expect(accountGreeks(world, 3)).toMatchObject({ positions: [], underlyings: [] });
  });

  it("say when a price is stale", () => {
    const world = open();
    const [seller, buyer] = [world.funded(1, 200_000n), world.funded(2, 200_000n)];
    world.trade("CALL", seller, buyer, "1", "4000");
    world.setPrice(VOL, "0.6", false);
    expect(accountGreeks(world, 1)).toMatchObject({ fresh: false, complete: true });
  });
});

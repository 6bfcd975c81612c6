import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import {
  BTC,
  createWorld,
  futureMarket,
  HOUR_MS,
  maturity,
  optionMarket,
  START_MS,
  UNIT,
  VOL,
  type World,
  type WorldOptions,
} from "../../testing/world.ts";

const TERMS = { afterBlocks: 2, atOncePpm: 0n };

function perpetual(symbol: string) {
  const { datedFuture: _dated, ...market } = futureMarket(symbol, maturity(START_MS));
  const linearPerpetual = {
    interestRate8hPpm: 100n,
    rateClampPpm: 6_000_000n,
    premiumClampPpm: 60_000_000n,
    impactNotional: 10_000n * UNIT,
  };
  return { ...market, linearPerpetual };
}

/** A long of one coin at 60,000 with 7,000 behind it, against somebody rich who quotes nothing. */
function opened(symbol = "BTC-PERP", options: WorldOptions = {}): World {
  const world = createWorld({ margin: { marketSettlement: TERMS }, ...options });
  world.setPrice(BTC, "60000");
  world.setPrice(VOL, "0.6");
  world.list(
    symbol === "BTC-PERP"
      ? perpetual(symbol)
      : futureMarket(symbol, maturity(START_MS + 100 * HOUR_MS)),
  );
  world.trade(symbol, world.funded(2, 500_000n), world.funded(1, 7_000n), "1", "60000");
  return world;
}

const statusOf = (world: World, symbol = "BTC-PERP") =>
  world.keeper.terms(world.ctx, world.keeper.marketId(world.ctx, symbol) ?? 0)?.status;

function blocks(world: World, count: number, price: string, fresh = true): void {
  for (let i = 0; i < count; i++) {
    world.setPrice(BTC, price, fresh);
    world.block();
    expect(world.violation()).toBeNull();
  }
}

describe("a market that a loss ends", () => {
  it.each(["BTC-PERP", "BTC-DATED"])(
    "takes cancels only, settles %s at its mark, and is listed anew",
    (symbol) => {
      const world = opened(symbol);
      const rich = world.funded(2, 1n);
      const { orderId } = world.place(symbol, rich, "sell 0.5 @ 60500 post");
      expect(orderId).toBeDefined();
      blocks(world, 1, "40000");
      blocks(world, 1, "40000");
      expect(statusOf(world, symbol)).toBe("halted");
      expect(() => world.place(symbol, rich, "buy 0.5 @ 40000 post")).toThrow("halted");
      blocks(world, 2, "39000");
      expect(world.eventsOf("market_ended")).toMatchObject([
        { market: symbol, mark_ticks: "78000", value_per_lot: "39000000" },
      ]);
      // What comes after has no part in it.
      blocks(world, 4, "10000");
      expect(statusOf(world, symbol)).toBe("settled");
      expect(world.eventsOf("market_settled")).toMatchObject([{ market: symbol, price: "39000" }]);
      expect(world.eventsOf("order_cancelled").map(({ reason }) => reason)).toContain("expired");
      expect(world.margin.state.deficits.size(world.ctx)).toBe(0);
      // 21,000 lost, 7,000 there: 14,000 of the gain of 21,000 are borne.
      const [loss] = world.eventsOf("market_loss");
      expect(BigInt(loss?.["missing"] ?? "") > 13_900n * UNIT).toBe(true);
      expect(world.collateral(world.funded(1, 1n))).toBe(UNIT);
      const again =
        symbol === "BTC-PERP"
          ? perpetual(symbol)
          : futureMarket(symbol, maturity(START_MS + 99 * HOUR_MS));
      expect(world.list(again)).toBe(2);
      expect(statusOf(world, symbol)).toBe("active");
      blocks(world, 2, "10000");
    },
  );

  it("settles an option at what it was marked at", () => {
    const world = createWorld({ margin: { marketSettlement: TERMS } });
    world.setPrice(BTC, "60000");
    world.setPrice(VOL, "0.6");
    const end = maturity(START_MS + 100 * HOUR_MS);
    world.list(optionMarket("CALL", end, { strike: "60000" }));
    const price = world.keeper.mark(world.ctx, 1)?.ticks ?? 0n;
    const quoted = `${price / 2n}`;
    world.trade("CALL", world.funded(2, 20_000n), world.funded(1, 90_000n), "1", quoted);
    const soar = () => {
      world.setPrice(BTC, "100000");
      world.setPrice(VOL, "0.6");
    };
    for (let i = 0; i < 8; i++) {
      soar();
      world.block();
      expect(world.violation()).toBeNull();
    }
    expect(statusOf(world, "CALL")).toBe("settled");
    expect(world.margin.state.deficits.size(world.ctx)).toBe(0);
  });

  it("leaves its end to clearing, that its loss is borne by who has gained, where the authority delists it meanwhile", () => {
    const world = opened("BTC-PERP", {
      margin: { marketSettlement: { ...TERMS, afterBlocks: 10 } },
    });
    const set = (status: MarketStatus) =>
      world.keeper.updateMarket(world.ctx, "BTC-PERP", { status, terms: undefined });
    set(MarketStatus.MARKET_STATUS_CLOSE_ONLY);
    world.ctx.nextBlock(3_600);
    blocks(world, 2, "40000");
    expect(statusOf(world)).toBe("halted");
    world.setPrice(BTC, "40000");
    expect(() => set(MarketStatus.MARKET_STATUS_SETTLING)).toThrow("clearing ends it");
    blocks(world, 14, "40000");
    expect(statusOf(world)).toBe("settled");
    expect(world.margin.state.deficits.size(world.ctx)).toBe(0);
    expect(world.collateral(world.funded(2, 1n)) < 508_000n * UNIT).toBe(true);
  });

  it("is not ended at a price that is stale, in a halt of the guard, or by somebody who has stopped it", () => {
    const world = opened();
    blocks(world, 2, "40000");
    const end = () => world.keeper.end(world.ctx, 1);
    blocks(world, 4, "40000", false);
    expect(world.eventsOf("market_ended")).toEqual([]);
    expect(end()).toBeNull();
    world.setPrice(BTC, "40000");
    world.keeper.updateMarket(world.ctx, "BTC-PERP", {
      status: MarketStatus.MARKET_STATUS_HALTED,
      terms: undefined,
    });
    expect(end()).toBeNull();
    world.keeper.updateMarket(world.ctx, "BTC-PERP", {
      status: MarketStatus.MARKET_STATUS_ACTIVE,
      terms: undefined,
    });
    expect(end()?.quantaPerLot).toBe(40_000_000n);
    expect(end()).toBeNull();
  });

  it("quarantined while it settles never trades again, and goes on settling", () => {
    const world = opened();
    blocks(world, 4, "40000");
    expect(statusOf(world)).toBe("settling");
    world.keeper.quarantine(world.ctx, 1, "a test");
    blocks(world, 3, "40000");
    expect(statusOf(world)).toBe("quarantined");
    world.keeper.updateMarket(world.ctx, "BTC-PERP", {
      status: MarketStatus.MARKET_STATUS_ACTIVE,
      terms: undefined,
    });
    expect(statusOf(world)).toBe("settling");
    blocks(world, 4, "40000");
    expect(statusOf(world)).toBe("settled");
    expect(world.margin.state.deficits.size(world.ctx)).toBe(0);
  });

  it("goes on after an export as if nothing had been", () => {
    const margin = { marketSettlement: TERMS };
    const world = opened();
    blocks(world, 4, "40000");
    const from = { genesis: world.exported(), header: world.ctx.header };
    const copy = createWorld({ margin, from });
    copy.setPrice(BTC, "40000");
    copy.setPrice(VOL, "0.6");
    expect(copy.stored()).toEqual(world.stored());
    for (const each of [world, copy]) blocks(each, 4, "40000");
    expect(copy.stored()).toEqual(world.stored());
    expect(statusOf(copy)).toBe("settled");
  });

  it("invariant: a market has ended and trades", () => {
    const world = opened();
    const value = { valuePerLot: "1", markTicks: 1n, notionalPerLot: "1" };
    const { stops } = world.venue.state;
    stops.set(world.ctx, 1, value);
    expect(world.violation()).toContain("market 1 has ended and trades");
    stops.delete(world.ctx, 1);
    stops.set(world.ctx, 9, { ...value, valuePerLot: "" });
    expect(world.violation()).toContain("market 9 is stopped but not listed");
  });
});

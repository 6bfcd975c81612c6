import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import {
  BTC,
  createWorld,
  futureMarket,
  HOUR_MS,
  maturity,
  START_MS,
  UNIT,
} from "../../testing/world.ts";
import { storeMarket } from "../listing/life-cycle.ts";
import { defaultInstrumentParams } from "./params.ts";

const SYMBOL = "BTC-USD-F";
const EXPIRY = START_MS + HOUR_MS;

function listed(options: Parameters<typeof createWorld>[0] = {}) {
  const world = createWorld(options);
  world.setPrice(BTC, "60000");
  world.list(futureMarket(SYMBOL, { ...maturity(EXPIRY), closeOnlyMs: 600_000n }));
  return world;
}

/** Blocks of `step` seconds until the expiry, the price after each by `price`. */
function toExpiry(world: ReturnType<typeof listed>, step: number, price: () => string): void {
  while (world.nowMs() < EXPIRY) {
    world.block(step, () => world.setPrice(BTC, price()));
  }
}

describe("a dated future", () => {
  it("lives from active over close-only and settling to settled, and is gone a day later", () => {
    const world = listed();
    const statuses: string[] = [];
    for (let i = 0; i < 62; i++) {
      world.block(60);
      statuses.push(world.keeper.terms(world.ctx, 1)?.status ?? "gone");
    }
    expect([...new Set(statuses)]).toEqual(["active", "closeOnly", "settling", "settled"]);
    expect(statuses.filter((status) => status === "closeOnly")).toHaveLength(10);
    expect(world.violation()).toBeNull();
    world.block(86_400);
    world.block(1);
    expect(world.keeper.terms(world.ctx, 1)).toBeUndefined();
    const { state } = world.venue;
    for (const left of [state.markets, state.symbols, state.settlements, state.due, state.windows])
      expect(left.size(world.ctx)).toBe(0);
    expect(world.eventsOf("market_removed")).toEqual([{ market: SYMBOL, id: "1" }]);
    // The name is free again, the number is not.
    world.setPrice(BTC, "60000");
    expect(world.list(futureMarket(SYMBOL, maturity(world.nowMs() + HOUR_MS)))).toBe(2);
    expect(world.violation()).toBeNull();
  });

  it("is not listed when nobody could open a position in it", () => {
    const world = createWorld();
    world.setPrice(BTC, "60000");
    const closing = (closeOnlyMs: number) =>
      futureMarket(SYMBOL, { ...maturity(EXPIRY), closeOnlyMs: BigInt(closeOnlyMs) });
    for (const closeOnlyMs of [EXPIRY, HOUR_MS])
      expect(() => world.list(closing(closeOnlyMs))).toThrow(
        "expected a time of close-only that begins after",
      );
    expect(world.violation()).toBeNull();
    expect(world.list(closing(HOUR_MS - 1))).toBe(1);
  });

  it("has an end when a genesis lists it as close-only since ever", () => {
    const world = listed();
    const market = world.venue.state.markets.get(world.ctx, 1)!;
    const closing = { ...maturity(EXPIRY), closeOnlyMs: BigInt(EXPIRY) };
    storeMarket(world.ctx, world.venue, { ...market, datedFuture: { maturity: closing } });
    world.block(60);
    expect(world.keeper.terms(world.ctx, 1)?.status).toBe("closeOnly");
    toExpiry(world, 60, () => "60000");
    world.block();
    expect(world.keeper.terms(world.ctx, 1)?.status).toBe("settled");
    expect(world.violation()).toBeNull();
  });

  it("settles at the time-weighted mean of the last window, to the quantum", () => {
    const world = listed();
    const long = world.funded(1, 100_000n);
    const short = world.funded(2, 100_000n);
    world.trade(SYMBOL, short, long, "2", "60000");
    const fees = 200_000n * UNIT - world.collateral(long) - world.collateral(short);
    const before = world.collateral(long);
    // 10 minutes at each of 60,000, 60,600 and 61,000: the window is the last half hour.
    let minute = 0;
    toExpiry(world, 60, () => {
      minute += 1;
      return minute < 40 ? "60000" : minute < 50 ? "60600" : "61000";
    });
    const mean = (60_000n + 60_600n + 61_000n) * 10n ** 18n;
    expect(world.eventsOf("settlement_price")).toMatchObject([
      { price: "60533.333333333333333333", covered_ms: "1800000" },
    ]);
    world.block();
    // 2,000 lots of 0.001: the value of a lot is 60,533,333.33 quanta, rounded to whole ones.
    const perLot = (mean / 3n / 10n ** 15n) * UNIT;
    const value = (perLot + 500_000n) / UNIT;
    expect(world.collateral(long) - before).toBe(2_000n * (value - 60_000_000n));
    expect(world.collateral(long) + world.collateral(short) + fees).toBe(200_000n * UNIT);
    expect(world.eventsOf("position_settled").map(({ lots }) => lots)).toEqual(["2000", "-2000"]);
    expect(world.margin.keeper.ledger(world.ctx, 1)).toBeUndefined();
    expect(world.violation()).toBeNull();
  });

  it("marks spot before the window and the settlement price at its end, without a jump", () => {
    const world = listed();
    const marks: bigint[] = [];
    let step = 0;
    while (world.nowMs() < EXPIRY) {
      step += 1;
      world.block(60, () => world.setPrice(BTC, step < 45 ? "60000" : "66000"));
      marks.push(world.keeper.mark(world.ctx, 1)?.ticks ?? 0n);
    }
    // Spot jumped by 10 % in the middle of the window: the mark by half of that, then it creeps as the mean does.
    const last = world.keeper.mark(world.ctx, 1);
    expect(marks[43]).toBe(120_000n);
    expect(marks[44]).toBe(126_000n);
    expect(last?.ticks).toBe(126_000n);
    expect(world.keeper.settlementValue(world.ctx, 1)).toBe(last?.quantaPerLot);
  });

  it("takes no order and no cancel but its own after the expiry, and releases what orders reserved", () => {
    const world = listed();
    const id = world.funded(1, 10_000n);
    world.place(SYMBOL, id, "buy 0.1 @ 59000");
    toExpiry(world, 60, () => "60000");
    expect(() => world.place(SYMBOL, id, "buy 0.1 @ 59000")).toThrow("has expired");
    world.block();
    expect(world.eventsOf("order_cancelled")).toMatchObject([{ reason: "expired" }]);
    expect(world.margin.keeper.account(world.ctx, id)?.positions).toEqual([]);
    expect(world.margin.keeper.account(world.ctx, id)?.feeReserve).toBe(0n);
    expect(world.violation()).toBeNull();
  });

  it("waits for enough fresh prices when an outage fell into its window", () => {
    const world = listed();
    const long = world.funded(1, 10_000n);
    const short = world.funded(2, 10_000n);
    world.trade(SYMBOL, short, long, "0.1", "60000");
    let step = 0;
    while (world.nowMs() < EXPIRY) {
      step += 1;
      world.block(60, () => world.setPrice(BTC, "60000", step < 35));
    }
    world.block();
    expect(world.eventsOf("settlement_price")).toEqual([]);
    expect(world.keeper.mark(world.ctx, 1)?.fresh).toBe(false);
    expect(world.keeper.settleable(world.ctx)).toEqual([]);
    // Fresh again: what is missing of half an hour's half is taken after the expiry.
    for (let i = 0; i < 11; i++) {
      world.block(60, () => world.setPrice(BTC, "60100"));
      expect(world.violation()).toBeNull();
    }
    expect(world.eventsOf("settlement_price")).toMatchObject([{ covered_ms: "900000" }]);
    world.block();
    expect(world.eventsOf("market_settled")).toHaveLength(1);
    expect(world.violation()).toBeNull();
  });

  it("counts an interval without blocks no longer than the longest step", () => {
    const world = listed();
    world.block(1800);
    world.setPrice(BTC, "60000");
    // One block over the whole window: a minute of it counts, which is not enough.
    world.block(1800);
    expect(world.eventsOf("settlement_price")).toEqual([]);
  });

  it("takes its steps some per block when many are due, and none can trade meanwhile", () => {
    const instruments = { ...defaultInstrumentParams(), transitionsPerBlockMax: 2 };
    const world = createWorld({ params: { instruments } });
    world.setPrice(BTC, "60000");
    for (let n = 0; n < 5; n++) world.list(futureMarket(`F-${n}`, maturity(EXPIRY)));
    const id = world.funded(1, 10_000n);
    while (world.nowMs() < EXPIRY) world.block(60);
    const settling = (): number => world.venue.state.settling.size(world.ctx);
    const stored = (): number => {
      let active = 0;
      world.venue.state.markets.each(world.ctx, (_id, { status }) => {
        if (status === MarketStatus.MARKET_STATUS_ACTIVE) active += 1;
      });
      return active;
    };
    expect([settling(), stored()]).toEqual([2, 3]);
    expect(() => world.place("F-4", id, "buy 0.1 @ 59000")).toThrow("has expired");
    expect(world.keeper.terms(world.ctx, 5)?.status).toBe("settling");
    world.block();
    world.block();
    expect(stored()).toBe(0);
    expect(world.violation()).toBeNull();
  });

  it("refuses what could not settle well", () => {
    const world = createWorld();
    world.setPrice(BTC, "60000");
    const late = futureMarket(SYMBOL, maturity(START_MS + 1_000_000));
    expect(() => world.list(late)).toThrow("expected a settlement window that opens after");
    const far = futureMarket(SYMBOL, maturity(START_MS + 4 * 365 * 86_400_000));
    expect(() => world.list(far)).toThrow("ends within");
    const short = futureMarket(SYMBOL, maturity(EXPIRY, 30_000));
    expect(() => world.list(short)).toThrow("expected a settlement window of 60000");
  });
});

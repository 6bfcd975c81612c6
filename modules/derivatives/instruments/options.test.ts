import { describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { WAD } from "../../kit/math/fixed-point.ts";
import {
  BTC,
  createWorld,
  HOUR_MS,
  maturity,
  optionMarket,
  START_MS,
  type TestOption,
  UNIT,
  VOL,
} from "../../testing/world.ts";
import { SYMBOL as PERPETUAL, testMarket } from "../testing.ts";
import type { Venue } from "../venue.ts";
import { optionMark } from "./option-marks.ts";

const SYMBOL = "BTC-OPTION";
const DAY_MS = 24 * HOUR_MS;
const EXPIRY = START_MS + 30 * DAY_MS;

function listed(option: TestOption, windowMs = 1_800_000) {
  const world = createWorld();
  world.setPrice(BTC, "60000");
  world.setPrice(VOL, "0.6");
  world.list(optionMarket(SYMBOL, maturity(EXPIRY, windowMs), option));
  return world;
}

/** Straight to the expiry and through its window, the index at `price` all the while. */
function expire(world: ReturnType<typeof listed>, price: string, windowMs = 1_800_000): void {
  const set = (): void => world.setPrice(BTC, price);
  world.block(Number(EXPIRY - windowMs - world.nowMs()) / 1000, set);
  while (world.nowMs() < EXPIRY) world.block(60, set);
  world.block(1, set);
  world.block(1, set);
}

const kinds: [string, TestOption, string, bigint][] = [
  ["a call in the money", { strike: "60000" }, "61234.5", 1234_500_000n],
  ["a call out of the money", { strike: "60000" }, "59999", 0n],
  ["a put in the money", { strike: "60000", right: "put" }, "58000.25", 1999_750_000n],
  ["a put out of the money", { strike: "60000", right: "put" }, "60000", 0n],
  ["a digital call above", { strike: "60000", payout: "1" }, "60000.01", UNIT],
  ["a digital call at the strike", { strike: "60000", payout: "1" }, "60000", 0n],
  ["a digital put at the strike", { strike: "60000", payout: "1", right: "put" }, "60000", UNIT],
  ["an average-price call", { strike: "60000", kind: "asian" }, "60100", 100_000_000n],
];

describe("an option held to its expiry", () => {
  it.each(kinds)("%s pays what it says, without a message", (_name, option, price, perUnit) => {
    const window = option.kind === "asian" ? 6 * HOUR_MS : 1_800_000;
    const world = listed(option, window);
    const buyer = world.funded(1, 100_000n);
    const writer = world.funded(2, 100_000n);
    const mark = world.keeper.mark(world.ctx, 1);
    const digital = option.payout !== undefined;
    const size = digital ? "100" : "1";
    const step = digital ? 100n : 2n;
    const ticks = mark?.ticks ?? 0n;
    const decimals = digital ? 2 : 1;
    const text = (Number(ticks) / Number(step)).toFixed(decimals).replace(/\.?0+$/, "");
    world.trade(SYMBOL, writer, buyer, size, text);
    const paid = digital ? ticks * UNIT : (ticks * UNIT) / 2n;
    const before = [world.collateral(buyer), world.collateral(writer)] as const;
    expire(world, price, window);
    const received = digital ? perUnit * 100n : perUnit;
    expect(world.collateral(buyer) - before[0]).toBe(received - paid);
    expect(world.collateral(writer) - before[1]).toBe(paid - received);
    expect(world.eventsOf("market_settled")).toHaveLength(1);
    expect(world.violation()).toBeNull();
  });
});

describe("the mark of an option", () => {
  const markOf = (option: TestOption) => {
    const world = listed(option);
    return { world, mark: world.keeper.mark(world.ctx, 1)! };
  };

  it("is Black-76 at the volatility of its feed", () => {
    // 60,000 at the money, 60 %, 30 days less two thirds of the window: 4,110.9 by the closed form.
    const { mark } = markOf({ strike: "60000" });
    const years = (30 * 86_400 - 1200) / 31_536_000;
    const s = 0.6 * Math.sqrt(years);
    const closed = 60_000 * (2 * normal(s / 2) - 1);
    expect(Number(mark.ticks) / 2).toBeCloseTo(closed, 0);
    expect(mark.quantaPerLot).toBe(mark.ticks * 5000n);
    expect(mark.notionalPerLot).toBe(600n * UNIT);
  });

  it("obeys put-call parity to a tick", () => {
    const call = markOf({ strike: "61000" }).mark.ticks;
    const put = markOf({ strike: "61000", right: "put" }).mark.ticks;
    expect(Math.abs(Number(call - put) + 2000)).toBeLessThanOrEqual(1);
  });

  it("is less for an average than for the end", () => {
    const day = 24 * HOUR_MS;
    const european = listed({ strike: "60000" }, 1_800_000);
    const asian = listed({ strike: "60000", kind: "asian" }, 10 * day);
    expect(asian.keeper.mark(asian.ctx, 1)!.ticks).toBeLessThan(
      european.keeper.mark(european.ctx, 1)!.ticks,
    );
  });

  it("is not fresh when either feed is stale, and not there without a volatility", () => {
    const { world } = markOf({ strike: "60000" });
    world.setPrice(VOL, "0.6", false);
    expect(world.keeper.mark(world.ctx, 1)?.fresh).toBe(false);
    const blind = createWorld();
    blind.setPrice(BTC, "60000");
    blind.list(optionMarket(SYMBOL, maturity(EXPIRY), { strike: "60000" }));
    expect(blind.keeper.mark(blind.ctx, 1)).toBeUndefined();
  });

  it("goes to the payoff through its window without a jump", () => {
    for (const option of [{ strike: "60000" }, { strike: "60000", right: "put" as const }]) {
      const world = listed(option);
      world.block(Number(EXPIRY - 1_860_000 - world.nowMs()) / 1000);
      let last = world.keeper.mark(world.ctx, 1)!.quantaPerLot;
      while (world.nowMs() < EXPIRY) {
        world.block(10);
        const next = world.keeper.mark(world.ctx, 1)!.quantaPerLot;
        expect(Math.abs(Number(next - last))).toBeLessThan(50_000);
        last = next;
      }
      expect(world.keeper.settlementValue(world.ctx, 1)).toBe(0n);
      expect(last).toBe(0n);
    }
  });

  it("does not depend on what was asked before", () => {
    const { world } = markOf({ strike: "60000" });
    const first = world.keeper.mark(world.ctx, 1);
    world.setPrice(BTC, "50000");
    expect(world.keeper.mark(world.ctx, 1)).not.toEqual(first);
    world.setPrice(BTC, "60000");
    expect(world.keeper.mark(world.ctx, 1)).toEqual(first);
  });
});

describe("the requirement of an option", () => {
  const needed = (world: ReturnType<typeof listed>, id: AccountId) =>
    world.margin.keeper.health(world.ctx, id)!;

  it("is the premium for a buyer, who is never liquidated for it", () => {
    const world = listed({ strike: "60000" });
    const buyer = world.funded(1, 4_200n);
    const writer = world.funded(2, 100_000n);
    expect(() => world.place(SYMBOL, buyer, "buy 2 @ 4000")).toThrow("expected equity");
    world.trade(SYMBOL, writer, buyer, "1", "4100");
    // The market falls to nothing: what was paid is gone, and nothing else is.
    world.block(1, () => world.setPrice(BTC, "1000"));
    world.block(1);
    expect(world.eventsOf("liquidation")).toEqual([]);
    expect(world.keeper.mark(world.ctx, 1)?.ticks).toBe(0n);
    expect(needed(world, buyer).equity).toBeGreaterThanOrEqual(0n);
    expect(world.violation()).toBeNull();
  });

  it("is the worst scenario for a writer: up for calls, down for puts, never less than the floor", () => {
    for (const right of ["call", "put"] as const) {
      const world = listed({ strike: "60000", right });
      const mark = world.keeper.mark(world.ctx, 1)!;
      const moved = createWorld();
      moved.setPrice(BTC, right === "call" ? "69000" : "51000");
      moved.setPrice(VOL, "0.9");
      moved.list(optionMarket(SYMBOL, maturity(EXPIRY), { strike: "60000", right }));
      const worst = moved.keeper.mark(moved.ctx, 1)!;
      const loss = mark.losses!.short.initial;
      // Marks are whole ticks of 5,000 quanta a lot.
      expect(Math.abs(Number(loss - (worst.quantaPerLot - mark.quantaPerLot)))).toBeLessThan(5001);
      expect(mark.losses!.short.maintenance).toBeLessThan(loss);
    }
    const far = listed({ strike: "200000" }).keeper;
    const world = listed({ strike: "200000" });
    expect(far.mark(world.ctx, 1)?.losses?.short.initial).toBe(18n * UNIT);
  });

  it("never exceeds what a digital can pay", () => {
    const world = listed({ strike: "60000", payout: "1" });
    const { losses, quantaPerLot } = world.keeper.mark(world.ctx, 1)!;
    expect(losses!.short.initial).toBeLessThanOrEqual(UNIT - quantaPerLot);
    expect(losses!.short.maintenance).toBeLessThanOrEqual(losses!.short.initial);
  });

  it("counts orders that turn a position over, where the other side costs more", () => {
    const world = listed({ strike: "60000" });
    const buyer = world.funded(1, 5_000n);
    const writer = world.funded(2, 100_000n);
    world.trade(SYMBOL, writer, buyer, "1", "4100");
    // Long 1, selling 1.9: fewer lots than it holds would be short, but each needs about 8,400 instead of 4,100.
    expect(() => world.place(SYMBOL, buyer, "sell 1.9 @ 5000")).toThrow("expected equity");
    world.place(SYMBOL, buyer, "sell 1 @ 5000");
    expect(world.violation()).toBeNull();
  });

  it("liquidates a writer at the book inside a band of the underlying", () => {
    const world = listed({ strike: "60000" });
    const buyer = world.funded(1, 100_000n);
    const writer = world.funded(2, 11_000n);
    const maker = world.funded(3, 1_000_000n);
    world.trade(SYMBOL, writer, buyer, "1", "4110.5");
    world.block(1, () => world.setPrice(BTC, "69000"));
    const mark = world.keeper.mark(world.ctx, 1)!;
    // Half a percent of the underlying above mark is several percent of the option.
    const ask = (Number(mark.ticks) / 2 + 200).toFixed(1).replace(/\.0$/, "");
    world.place(SYMBOL, maker, `sell 2 @ ${ask}`);
    world.block();
    const [close] = world.eventsOf("liquidation");
    expect(close).toMatchObject({ side: "buy", market: SYMBOL });
    expect(world.margin.keeper.positionLots(world.ctx, writer, 1)).toBeGreaterThan(-100n);
    expect(world.violation()).toBeNull();
  });

  it("lets a worthless option be closed by deleveraging at nothing", () => {
    const world = listed({ strike: "60000" });
    world.list(testMarket());
    const buyer = world.funded(1, 100_000n);
    const broken = world.funded(2, 4_000n);
    const other = world.funded(3, 100_000n);
    world.trade(SYMBOL, broken, buyer, "0.1", "4110.5");
    world.trade(PERPETUAL, other, broken, "0.2", "60000");
    // The perpetual loses 8,000; the call that was sold is worth nothing and still has to go.
    world.block(1, () => world.setPrice(BTC, "20000"));
    world.block();
    expect(world.eventsOf("deleverage")).toMatchObject([
      { market: PERPETUAL, side: "sell" },
      { market: SYMBOL, side: "buy", price_ticks: "0", mark_ticks: "0" },
    ]);
    expect(world.margin.keeper.account(world.ctx, broken)?.positions).toEqual([]);
    expect(world.violation()).toBeNull();
  });
});

describe("orders for options", () => {
  it("are banded and sized by the underlying", () => {
    const world = listed({ strike: "60000" });
    const id = world.funded(1, 100_000n);
    const ticks = Number(world.keeper.mark(world.ctx, 1)?.ticks) / 2;
    // 5 % of 60,000.
    expect(() => world.place(SYMBOL, id, `buy 0.01 @ ${Math.ceil(ticks + 3001)}`)).toThrow(
      "at most",
    );
    world.place(SYMBOL, id, `buy 0.01 @ ${Math.floor(ticks + 2999)}`);
    world.place(SYMBOL, id, "buy 0.01 @ 0.5");
    expect(() => world.place(SYMBOL, id, "buy 1000 @ 0.5")).toThrow("expected at most");
  });
});

/** Standard normal distribution, for the closed form above (Abramowitz and Stegun 26.2.17 is too coarse: a series does). */
function normal(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 60; n++) {
    term *= (x * x) / (2 * n + 1);
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

describe("a mark that is remembered", () => {
  it("is of its inputs and no others: two means so far may make the same price expected", () => {
    const markAt = (world: ReturnType<typeof listed>, mean: bigint) => {
      const venue = { oracle: { price: () => ({ mantissa: 6n, exponent: -1, fresh: true }) } };
      const instrument = world.keeper.terms(world.ctx, 1);
      if (instrument === undefined) throw new Error("expected a market");
      const times = { averagedMs: BigInt(3 * HOUR_MS), remainingMs: BigInt(3 * HOUR_MS) };
      const expected = { forward: 60_000n * WAD, spot: 60_000n * WAD, fresh: true, final: false };
      const outlook = { ...expected, ...times, mean };
      return optionMark(world.ctx, venue as unknown as Venue, instrument, outlook);
    };
    const asian = () => listed({ strike: "60000", kind: "asian" }, 6 * HOUR_MS);
    const running = asian();
    const before = markAt(running, 60_000n * WAD);
    const after = markAt(running, 61_000n * WAD);
    expect(before).not.toEqual(after);
    expect(after).toEqual(markAt(asian(), 61_000n * WAD));
  });
});

import { RefusalReason } from "@keel/proto/gen/keel/oracle/v1/guard";
import { describe, expect, it } from "vitest";
import { createTestOracle, type TestOracle } from "../testing.ts";
import { judge, measureMinute, unwatched } from "./breaker.ts";
import { defaultGuard } from "./terms.ts";

const guard = defaultGuard();
const guarded = (change: Partial<typeof guard> = {}): TestOracle =>
  createTestOracle({ feed: { guard: { ...guard, ...change } } });

const price = (oracle: TestOracle) => oracle.keeper.price(oracle.ctx, 1);

describe("a break", () => {
  it("is recorded and not used, and no other price is either, until two consistent updates follow", () => {
    const oracle = guarded();
    oracle.block(10_000n);
    oracle.block(10_000n);
    expect(oracle.block(16_000n)).toBe(0);
    expect(price(oracle)).toMatchObject({ mantissa: 10_000n, fresh: false });
    expect(price(oracle)?.stage).toEqual({
      level: "stale",
      reduces: false,
      withdraws: false,
      liquidates: false,
    });
    expect(oracle.keeper.watch(oracle.ctx, 1)).toMatchObject({
      pendingMantissa: 16_000n,
      confirmations: 0,
      refused: {
        mantissa: 16_000n,
        reason: RefusalReason.REFUSAL_REASON_BREAK,
        measuredPpm: 600_000n,
        limitPpm: 500_000n,
        height: 13n,
      },
    });
    expect(oracle.block(16_100n)).toBe(0);
    expect(price(oracle)).toMatchObject({ mantissa: 10_000n, fresh: false });
    expect(oracle.block(16_050n)).toBe(1);
    expect(price(oracle)).toMatchObject({ mantissa: 16_050n, fresh: true });
    expect(oracle.eventsOf("oracle_price_refused")).toEqual([
      expect.objectContaining({ reason: "break", price: "160", mean: "100", confirmations: "0" }),
      expect.objectContaining({ price: "161", confirmations: "1", confirmations_needed: "2" }),
    ]);
    expect(oracle.eventsOf("oracle_price_confirmed")).toEqual([
      { feed: "BTC-USD", price: "160.5", mean: "100", confirmations: "2" },
    ]);
    expect(oracle.violation()).toBeNull();
  });

  it("begins its row anew with an update that does not agree, or whose votes are far apart", () => {
    const oracle = guarded();
    oracle.block(10_000n);
    oracle.block(16_000n);
    oracle.block(16_000n);
    oracle.block(17_000n);
    expect(oracle.keeper.watch(oracle.ctx, 1)).toMatchObject({
      pendingMantissa: 17_000n,
      confirmations: 0,
    });
    oracle.block(17_000n);
    oracle.ctx.nextBlock(1);
    oracle.vote(17_000n, 17_000n, 17_000n, 18_000n);
    expect(oracle.keeper.watch(oracle.ctx, 1)).toMatchObject({
      pendingMantissa: 17_000n,
      confirmations: 0,
      refused: { reason: RefusalReason.REFUSAL_REASON_BAND },
    });
    expect(price(oracle)?.mantissa).toBe(10_000n);
  });

  it("is over when the price is back near the mean", () => {
    const oracle = guarded();
    oracle.block(10_000n);
    oracle.block(1_000_000n);
    expect(oracle.block(10_010n)).toBe(1);
    expect(price(oracle)).toMatchObject({ mantissa: 10_010n, fresh: true });
    expect(oracle.keeper.watch(oracle.ctx, 1)?.pendingMantissa).toBe(0n);
  });

  it("does not begin again near the confirmed level while the mean is still far, and does when that falls back", () => {
    const oracle = guarded();
    oracle.block(10_000n);
    for (let i = 0; i < 3; i++) oracle.block(20_000n);
    expect(oracle.block(21_000n)).toBe(1);
    expect(oracle.keeper.watch(oracle.ctx, 1)?.confirmedMantissa).toBe(20_000n);
    // The mean has come within half of the price after some minutes: the confirmed level is forgotten.
    for (let i = 0; i < 20; i++) expect(oracle.block(20_000n, 20)).toBe(1);
    expect(oracle.keeper.watch(oracle.ctx, 1)?.confirmedMantissa).toBe(0n);
  });

  it("counts past the limit only: exactly half off is used", () => {
    const oracle = guarded();
    oracle.block(10_000n);
    expect(oracle.block(15_000n)).toBe(1);
    const down = guarded();
    down.block(10_000n);
    expect(down.block(5_000n)).toBe(1);
    expect(down.block(4_000n)).toBe(0);
  });
});

describe("the slow lane", () => {
  it("lets liquidations happen in one block of so many while the price is far from its mean", () => {
    const oracle = guarded();
    oracle.block(10_000n);
    oracle.block(11_200n);
    const seen: boolean[] = [];
    for (let i = 0; i < 10; i++) {
      oracle.block(11_200n);
      expect(price(oracle)?.fresh).toBe(true);
      seen.push(price(oracle)?.stage?.liquidates === true);
    }
    // Heights 13 to 22; every fifth.
    expect(seen.map((yes, i) => (yes ? i + 13 : 0)).filter((height) => height > 0)).toEqual([
      15, 20,
    ]);
    expect(oracle.eventsOf("oracle_slow_lane")).toEqual([
      {
        feed: "BTC-USD",
        slow: "true",
        price: "112",
        mean: "100",
        measured_ppm: "120000",
        limit_ppm: "100000",
      },
    ]);
    oracle.block(11_200n, 600);
    oracle.block(11_200n, 1);
    expect(oracle.eventsOf("oracle_slow_lane").at(-1)).toMatchObject({ slow: "false" });
    expect(price(oracle)?.stage?.liquidates).toBe(true);
  });
});

describe("the band", () => {
  it("refuses an update whose votes from a fifth to four fifths of power are further apart than the limit", () => {
    const oracle = guarded();
    oracle.block(10_000n);
    oracle.ctx.nextBlock(1);
    expect(oracle.vote(10_000n, 10_000n, 10_000n, 10_201n)).toBe(0);
    expect(oracle.eventsOf("oracle_price_refused")).toEqual([
      expect.objectContaining({ reason: "band", measured_ppm: "20100", limit_ppm: "20000" }),
    ]);
    // A band refusal leaves the old price, which ages as one without the quorum does.
    expect(price(oracle)).toMatchObject({ mantissa: 10_000n, fresh: true });
    oracle.ctx.nextBlock(1);
    expect(oracle.vote(10_000n, 10_000n, 10_000n, 10_200n)).toBe(1);
    expect(price(oracle)?.confidence).toBe(100n);
  });
});

describe("the deviation of one minute's move", () => {
  it("is the root of the mean square, a gap of minutes counting as its share", () => {
    let watch = unwatched(1);
    const at = (minute: number, mantissa: bigint): void => {
      const update = { mantissa, timeNs: BigInt(minute) * 60_000_000_000n };
      watch = measureMinute({ ...guard, sigmaMinutes: 2 }, watch, update);
    };
    at(1, 1_000_000n);
    expect(watch.variance).toBe(0n);
    at(2, 1_001_000n);
    // (1000² + 0) / 2
    expect(watch.variance).toBe(500_000n);
    at(2, 2_000_000n);
    expect(watch.variance).toBe(500_000n);
    at(5, 1_002_001n);
    // 1000 ppm in three minutes: (1000² + 500,000 × 1) / 4
    expect(watch.variance).toBe(375_000n);
  });

  it("is asked with the price", () => {
    const oracle = guarded({ sigmaMinutes: 1 });
    oracle.block(1_000_000n, 60);
    oracle.block(1_002_000n, 60);
    expect(price(oracle)?.sigmaPpm).toBe(2_000n);
  });
});

it("without breaker, band and lane uses every update", () => {
  const off = { ...guard, bandMaxPpm: 0n, breakDeviationPpm: 0n, slowDeviationPpm: 0n };
  const update = { mantissa: 1n, band: { low: 1n, high: 9n }, timeNs: 1n, height: 1 };
  const watch = { ...unwatched(1), meanMantissa: 1_000_000n };
  expect(judge(off, watch, update)).toMatchObject({ used: true, watch: { slow: false } });
});

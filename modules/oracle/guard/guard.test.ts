import { GenesisState } from "@keel/proto/gen/keel/oracle/v1/genesis";
import {
  PenaltyReason,
  PriceLevel,
  QueryStandingsRequest,
  QueryStandingsResponse,
  QueryTwapRequest,
  QueryTwapResponse,
  QueryWatchRequest,
  QueryWatchResponse,
} from "@keel/proto/gen/keel/oracle/v1/guard";
import { describe, expect, it } from "vitest";
import { createAddresses } from "../../kit/addresses.ts";
import { defaultFeed, defaultParams, putFeed, validateFeed, validateParams } from "../feeds.ts";
import { createTestOracle, type TestOracle } from "../testing.ts";
import { chargesOf } from "./standing.ts";
import { defaultGuard, guardFault } from "./terms.ts";

const guard = defaultGuard();
const feed = defaultFeed({ id: 1, symbol: "BTC-USD", exponent: -2 });

function ask<R>(
  oracle: TestOracle,
  name: string,
  request: Uint8Array,
  response: { decode(bytes: Uint8Array): R },
): R {
  const route = oracle.module.queries.find(({ path }) => path.endsWith(`/${name}`));
  if (route === undefined) throw new Error(`no query ${name}`);
  return response.decode(route.handle(oracle.ctx, request));
}

const watchOf = (oracle: TestOracle, symbol = "BTC-USD") =>
  ask(
    oracle,
    "Watch",
    QueryWatchRequest.encode({ feedId: 0, symbol }).finish(),
    QueryWatchResponse,
  );

describe("the ladder", () => {
  it("goes down with age and each level says what it still allows", () => {
    const oracle = createTestOracle({ feed: { guard } });
    oracle.block(10_000n);
    const seen: [number, string, boolean, boolean, boolean, boolean][] = [];
    let age = 0;
    for (const next of [5, 6, 15, 16, 60, 61]) {
      oracle.ctx.nextBlock(next - age);
      age = next;
      const found = oracle.keeper.price(oracle.ctx, 1);
      const stage = found?.stage;
      if (found === undefined || stage === undefined)
        throw new Error("a guarded price has a stage");
      seen.push([next, stage.level, found.fresh, stage.reduces, stage.withdraws, stage.liquidates]);
    }
    expect(seen).toEqual([
      [5, "fresh", true, true, true, true],
      [6, "reduceOnly", false, true, true, true],
      [15, "reduceOnly", false, true, true, true],
      [16, "noWithdrawals", false, true, false, true],
      [60, "noWithdrawals", false, true, false, true],
      [61, "stale", false, false, false, false],
    ]);
    expect(watchOf(oracle)).toMatchObject({
      level: PriceLevel.PRICE_LEVEL_STALE,
      liquidates: false,
      mean: "100",
      pending: "",
    });
  });

  it("has no rung for a disabled feed, and none without a guard", () => {
    const oracle = createTestOracle({ feed: { guard } });
    oracle.block(10_000n);
    putFeed(oracle.ctx, oracle.state, { ...feed, guard, enabled: false });
    expect(oracle.keeper.price(oracle.ctx, 1)?.stage?.level).toBe("stale");
    putFeed(oracle.ctx, oracle.state, feed);
    expect(oracle.keeper.price(oracle.ctx, 1)?.stage).toBeUndefined();
    expect(() => watchOf(oracle)).toThrow("no guard");
    expect(() => watchOf(oracle, "ETH-USD")).toThrow("there is no feed");
  });
});

describe("a guard", () => {
  it("is refused where it makes no sense", () => {
    expect(guardFault(guard, 5_000n)).toBeNull();
    const wrong = [
      { noWithdrawalsAgeMs: 4_999n },
      { noLiquidationAgeMs: 14_999n },
      { noLiquidationAgeMs: 86_400_001n },
      { bandMaxPpm: 1_000_001n },
      { meanTimeMs: 0n },
      { slowDeviationPpm: 1_000_001n },
      { slowLaneBlocks: 0 },
      { breakDeviationPpm: 100_000_001n },
      { confirmations: 0 },
      { consistentPpm: 0n },
      { twapSteps: 1 },
      { twapSteps: 129 },
      { twapStepMs: 0n },
      { sigmaMinutes: 1_441 },
    ];
    for (const change of wrong) {
      expect(guardFault({ ...guard, ...change }, 5_000n), Object.keys(change)[0]).not.toBeNull();
      expect(() => validateFeed({ ...feed, guard: { ...guard, ...change } })).toThrow("guard: ");
    }
  });

  it("that is taken away forgets what it saw", () => {
    const oracle = createTestOracle({ feed: { guard } });
    oracle.block(10_000n);
    oracle.block(1_000_000n);
    expect(oracle.keeper.price(oracle.ctx, 1)?.fresh).toBe(false);
    putFeed(oracle.ctx, oracle.state, feed);
    expect([
      oracle.state.watches.size(oracle.ctx),
      oracle.state.checkpoints.size(oracle.ctx),
    ]).toEqual([0, 0]);
    expect(oracle.keeper.price(oracle.ctx, 1)?.fresh).toBe(true);
    putFeed(oracle.ctx, oracle.state, { ...feed, guard });
    expect(oracle.keeper.price(oracle.ctx, 1)?.stage?.level).toBe("fresh");
  });
});

describe("the time-weighted mean", () => {
  const twap = (oracle: TestOracle, windowMs: bigint) =>
    ask(
      oracle,
      "Twap",
      QueryTwapRequest.encode({ feedId: 1, symbol: "", windowMs }).finish(),
      QueryTwapResponse,
    );

  it("weighs each price by the time it was in force", () => {
    const oracle = createTestOracle({ feed: { guard: { ...guard, twapStepMs: 4_000n } } });
    const startMs = oracle.ctx.header.timeNs / 1_000_000n;
    oracle.block(10_000n, 4);
    oracle.block(10_100n, 3);
    oracle.block(10_400n, 1);
    oracle.ctx.nextBlock(4);
    // 3 s at 100, 1 s at 101, 4 s at 104: 102.125, half to even; since the checkpoint of the first price.
    expect(twap(oracle, 8_000n)).toEqual({
      price: "102.12",
      fromMs: startMs + 4_000n,
      toMs: startMs + 12_000n,
      coveredMs: 8_000n,
    });
    // The checkpoint at 8 s is the newest that is 4 s old.
    expect(twap(oracle, 4_000n)).toMatchObject({ price: "104", coveredMs: 4_000n });
    // Less is kept than was asked for: the answer says so.
    expect(twap(oracle, 3_600_000n)).toMatchObject({ fromMs: startMs + 4_000n });
  });

  it("gives an outage no weight beyond the age a price may have", () => {
    const oracle = createTestOracle({ feed: { guard: { ...guard, twapStepMs: 1_000n } } });
    oracle.block(10_000n, 1);
    oracle.block(10_300n, 1_000);
    oracle.ctx.nextBlock(5);
    // 5 s of the first count, as do 5 s of the second.
    expect(twap(oracle, 2_000_000n)).toMatchObject({ price: "101.5", coveredMs: 10_000n });
  });

  it("keeps a bounded ring: a window longer than it is cut", () => {
    const oracle = createTestOracle({
      feed: { guard: { ...guard, twapStepMs: 1_000n, twapSteps: 5 } },
    });
    for (let i = 0; i < 40; i++) oracle.block(10_000n + BigInt(i));
    expect(oracle.state.checkpoints.size(oracle.ctx)).toBe(5);
    expect(twap(oracle, 4_000n)).toMatchObject({ coveredMs: 4_000n, price: "100.36" });
    expect(twap(oracle, 40_000n)).toMatchObject({ coveredMs: 4_000n });
    expect(() => twap(oracle, 0n)).toThrow("expected a window");
  });

  it("is not there without steps", () => {
    const oracle = createTestOracle({ feed: { guard: { ...guard, twapSteps: 0 } } });
    oracle.block(10_000n);
    oracle.block(10_000n);
    expect(() => twap(oracle, 1n)).toThrow("keeps no time-weighted mean");
    expect(oracle.state.checkpoints.size(oracle.ctx)).toBe(0);
  });
});

describe("standing", () => {
  const limits = { missMaxPpm: 100_000n, deviantMaxPpm: 50_000n, penaltyPpm: 1_000n };

  it("charges whoever left out or misreported more than the limits in a window, and tells who holds the stakes", () => {
    const told: [number, string, bigint][] = [];
    const oracle = createTestOracle({
      params: { ...limits, reportWindowBlocks: 10n },
      penalties: {
        penalise: (_ctx, address, reason, amount) => {
          told.push([address[0] as number, reason, amount]);
        },
      },
    });
    for (let i = 0; i < 10; i++) {
      oracle.ctx.nextBlock(1);
      // The third always lies; the fourth is missing twice of ten, which is past a tenth.
      oracle.vote(10_000n, 10_000n, 12_000n, i < 2 ? null : 10_000n);
    }
    expect(told).toEqual([
      [3, "deviation", 1_000n],
      [4, "misses", 1_000n],
    ]);
    const request = QueryStandingsRequest.encode({}).finish();
    const { standings } = ask(oracle, "Standings", request, QueryStandingsResponse);
    expect(standings.map(({ address, ...rest }) => [address[0], rest])).toEqual([
      [
        3,
        {
          penalties: 1n,
          penaltyPpm: 1_000n,
          lastReason: PenaltyReason.PENALTY_REASON_DEVIATION,
          lastHeight: 20n,
        },
      ],
      [4, expect.objectContaining({ lastReason: PenaltyReason.PENALTY_REASON_MISSES })],
    ]);
    expect(oracle.eventsOf("oracle_penalty")[1]).toEqual({
      validator: "04".repeat(20),
      reason: "misses",
      measured_ppm: "200000",
      limit_ppm: "100000",
      penalty_ppm: "1000",
    });
    expect(oracle.keeper.reports(oracle.ctx).updates).toBe(0n);
  });

  it("counts a commit that was missed as all prices of it, and exactly the limit as within", () => {
    const report = { address: new Uint8Array(20), blocks: 10n, deviantVotes: 0n };
    const params = { ...defaultParams(), ...limits };
    const charged = (missedBlocks: bigint, missedFeeds: bigint) =>
      chargesOf([{ ...report, missedBlocks, missedFeeds }], 5n, params).map(
        (one) => one.measuredPpm,
      );
    expect(charged(1n, 0n)).toEqual([]);
    expect(charged(1n, 1n)).toEqual([120_000n]);
    expect(charged(0n, 6n)).toEqual([120_000n]);
    expect(charged(0n, 5n)).toEqual([]);
  });

  it("charges nobody by default, and refuses limits beyond everything", () => {
    const oracle = createTestOracle({ params: { reportWindowBlocks: 2n } });
    for (let i = 0; i < 4; i++) {
      oracle.ctx.nextBlock(1);
      oracle.vote(1n, 1n, 1n, null);
    }
    expect(oracle.keeper.standings(oracle.ctx)).toEqual([]);
    const addresses = createAddresses("keel");
    for (const change of [{ missMaxPpm: 1_000_001n }, { penaltyPpm: 1_000_001n }]) {
      expect(() => validateParams({ ...defaultParams(), ...change }, addresses)).toThrow("within");
    }
  });
});

describe("what guards remember", () => {
  function busy(): TestOracle {
    const oracle = createTestOracle({
      feed: { guard },
      params: { reportWindowBlocks: 3n, missMaxPpm: 1n, penaltyPpm: 7n },
    });
    for (let i = 0; i < 4; i++) {
      oracle.ctx.nextBlock(61);
      oracle.vote(10_000n, 10_000n, 10_000n, null);
    }
    oracle.block(20_000n);
    return oracle;
  }

  it("survives an export", () => {
    const oracle = busy();
    const exported = oracle.exported();
    const again = createTestOracle({ from: { genesis: exported, header: oracle.ctx.header } });
    expect(again.exported()).toEqual(exported);
    const { watches, checkpoints, standings } = GenesisState.decode(exported);
    expect([watches.length, checkpoints.length > 2, standings.length]).toEqual([1, true, 1]);
    expect(again.block(20_000n)).toBe(0);
    expect(again.block(20_000n)).toBe(1);
    expect(again.violation()).toBeNull();
  });

  it("is refused where no block could have written it", () => {
    const oracle = busy();
    const genesis = GenesisState.decode(oracle.exported());
    const { header } = oracle.ctx;
    const watch = genesis.watches[0];
    const [first] = genesis.checkpoints;
    if (watch === undefined || first?.checkpoint === undefined) throw new Error("nothing exported");
    const wrong: Partial<GenesisState>[] = [
      { watches: [{ ...watch, feedId: 9 }] },
      { watches: [{ ...watch, pendingMantissa: 1n << 63n }] },
      { watches: [{ ...watch, sum: "01" }] },
      { watches: [] },
      { checkpoints: [{ ...first, checkpoint: undefined }] },
      { checkpoints: [{ ...first, checkpoint: { ...first.checkpoint, sum: "9".repeat(38) } }] },
      { checkpoints: [{ ...first, checkpoint: { ...first.checkpoint, timeMs: 1n << 62n } }] },
      { standings: [{ ...genesis.standings[0], address: new Uint8Array(3) } as never] },
    ];
    for (const change of wrong) {
      const bytes = GenesisState.encode({ ...genesis, ...change }).finish();
      expect(() => createTestOracle({ from: { genesis: bytes, header } })).toThrow(
        "oracle genesis",
      );
    }
  });

  it("is watched by invariants", () => {
    const oracle = busy();
    const { ctx, state } = oracle;
    expect(oracle.violation()).toBeNull();
    const watch = state.watches.get(ctx, 1);
    if (watch === undefined) throw new Error("nothing watched");
    state.watches.set(ctx, 1, { ...watch, sumTimeMs: watch.sumTimeMs + 1_000_000n });
    expect(oracle.violation()).toBe("watches-sound: watch of feed 1: its sum is from the future");
    state.watches.set(ctx, 1, { ...watch, coveredMs: 0n });
    expect(oracle.violation()).toMatch("checkpoints-sound: checkpoint");
    state.watches.set(ctx, 1, watch);
    state.feeds.set(ctx, 1, feed);
    expect(oracle.violation()).toBe("watches-sound: watch of feed 1: it is not guarded");
  });
});

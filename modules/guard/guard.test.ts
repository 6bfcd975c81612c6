import { GenesisState } from "@keel/proto/gen/keel/guard/v1/genesis";
import { MsgTighten } from "@keel/proto/gen/keel/guard/v1/tx";
import {
  RestrictionLevel as Level,
  RestrictionSource as Source,
} from "@keel/proto/gen/keel/guard/v1/types";
import { describe, expect, it } from "vitest";
import { TEST_ADDRESSES } from "../derivatives/testing.ts";
import { createGuardWorld, type GuardWorld, PERP } from "../testing/guard-world.ts";
import { createWorld, DENOM } from "../testing/world.ts";
import { remember } from "./events.ts";
import { MOVES_MAX } from "./limits.ts";
import { defaultParams, validateParams } from "./params.ts";

const pace = { intervalMs: 60_000n, stepMaxPpm: 250_000n, bandPpm: 50_000n };
const rules = {
  ranges: [
    {
      horizonMs: 60_000n,
      limitPpm: 50_000n,
      deviationsPpm: 0n,
      auctionMs: 10_000n,
      initialRaisePpm: 300_000n,
      raiseMs: 60_000n,
      withdrawalDelayMs: 60_000n,
    },
  ],
  openInterest: {
    lotsMin: 1_000n,
    lotsMax: 100_000n,
    depthRangePpm: 20_000n,
    depthMultiplePpm: 2_000_000n,
    pace,
    fundWeightPpm: 0n,
    fundTarget: "",
  },
  margin: {
    raiseMaxPpm: 1_000_000n,
    depthLots: 0n,
    depthRangePpm: 20_000n,
    depthWeightPpm: 0n,
    ownerFreePpm: 0n,
    ownerWeightPpm: 1_000_000n,
    nearFreePpm: 0n,
    nearWeightPpm: 0n,
    pace,
  },
};

/** Everything is on, and most of it has happened. */
function busy(): GuardWorld {
  const world = createGuardWorld();
  const { authority, ctx } = world;
  const params = {
    ...world.guard.keeper.params(ctx),
    emergencyKey: world.address(99),
    emergencyMaxMs: 3_600_000n,
    outage: { gapMs: 300_000n, blocks: 3, withdrawalBlocks: 5 },
  };
  world.send("UpdateGuardParams", { authority, params });
  const limits = [{ windowMs: 3_600_000n, sharePpm: 100_000n, floor: "0" }];
  world.send("SetWithdrawalLimits", { authority, denom: DENOM, limits });
  world.setRules(rules);
  const [a, b] = [world.funded(1, 100_000n), world.funded(2, 100_000n)];
  for (let n = 3; n < 80; n++) world.trade(PERP, a, world.funded(n, 1_000n), "0.01", "60000");
  world.trade(PERP, a, b, "1", "60000");
  world.margin.keeper.withdraw(ctx, b, 1_000_000n);
  for (let i = 0; i < 6; i++) world.priced("60000", 30);
  world.priced("56000", 30);
  const tighten = MsgTighten.fromPartial({
    sender: world.address(99),
    market: PERP,
    level: Level.RESTRICTION_LEVEL_CLOSE_ONLY,
    untilMs: BigInt(world.nowMs() + 60_000),
    reason: "looks wrong",
  });
  world.send("Tighten", tighten);
  return world;
}

describe("the guard as a whole", () => {
  it("comes out of genesis as it went in, with the governance account where none was named", () => {
    const plain = createWorld();
    expect(plain.guard.state.params.require(plain.ctx).authority).not.toBe("");
    const world = busy();
    expect(world.guard.state.survey.get(world.ctx)).toBeDefined();
    const copy = createWorld({ from: { genesis: world.exported(), header: world.ctx.header } });
    expect(copy.stored()).toEqual(world.stored());
    copy.setPrice(1, "56000");
    expect(copy.violation()).toBeNull();
  });

  it("refuses a genesis that would fail in a later block: a price of nothing, a walk that stands nowhere", () => {
    const world = busy();
    const bytes = world.exported();
    const good = GenesisState.decode(bytes.at(-1) as Uint8Array);
    const begin = (change: Partial<GenesisState>): unknown => {
      const wrong = GenesisState.encode({ ...good, ...change }).finish();
      const genesis = [...bytes.slice(0, -1), wrong];
      return createWorld({ from: { genesis, header: world.ctx.header } });
    };
    for (const low of ["0", "9"]) {
      const watch = { buckets: [{ number: 1n, low, high: "8" }] };
      expect(() => begin({ watches: [{ market: 1, range: 0, watch }] })).toThrow("no price");
    }
    const survey = { cursor: new Uint8Array(3), tallies: [] };
    expect(() => begin({ survey })).toThrow("stands nowhere");
  });

  it("reads, writes and says nothing while nothing is on", () => {
    const world = createGuardWorld();
    const before = world.stored().filter((line) => line.startsWith("guard"));
    world.ctx.events.length = 0;
    world.guard.module.beginBlock?.(world.ctx);
    world.guard.module.endBlock?.(world.ctx);
    expect(world.ctx.events).toEqual([]);
    expect(world.stored().filter((line) => line.startsWith("guard"))).toEqual(before);
  });

  it("takes an emergency key only with a time of at most three days", () => {
    const key = TEST_ADDRESSES.format(new Uint8Array(20).fill(3));
    const check = (change: object) =>
      validateParams({ ...defaultParams(), ...change }, TEST_ADDRESSES);
    check({ emergencyKey: key, emergencyMaxMs: 3n * 86_400_000n });
    expect(() => check({ emergencyKey: key })).toThrow("with its time");
    expect(() => check({ emergencyKey: key, emergencyMaxMs: 259_200_001n })).toThrow("at most");
    expect(() => check({ emergencyRaiseMaxPpm: 1n })).toThrow("smaller");
    expect(() => check({ outage: { gapMs: 1n, blocks: 1, withdrawalBlocks: 1 } })).toThrow(
      "gap_ms",
    );
  });

  it("stops a market that it can no longer watch, and no other", () => {
    const world = busy();
    const { ctx, guard } = world;
    guard.state.watches.set(ctx, [1, 0], { buckets: [{ number: 1n, low: "x", high: "x" }] });
    guard.keeper.loosen(ctx, { authority: "", market: PERP, source: 0, openWithdrawals: false });
    world.block(1);
    expect(world.status()).toBe("quarantined");
  });

  it("remembers the newest moves, and no more than its limit", () => {
    const world = busy();
    const report = { market: 1, what: "w", before: "", after: "", cause: "c" };
    for (let i = 0; i < MOVES_MAX; i++) remember(world.ctx, world.guard.state, report);
    expect(world.guard.state.moves.size(world.ctx)).toBe(MOVES_MAX);
    const route = world.guard.module.queries.find(({ path }) => path.endsWith("/Moves"));
    expect(route).toBeDefined();
    expect(world.violation()).toBeNull();
  });
});

describe("the guard's invariants", () => {
  const broken = (breakIt: (world: GuardWorld) => void): string | null => {
    const world = busy();
    breakIt(world);
    return world.violation();
  };
  const change =
    (source: Source, fields: object) =>
    ({ ctx, guard }: GuardWorld): void => {
      const record = guard.state.restrictions.get(ctx, 1);
      const items = (record?.items ?? []).map((item) =>
        item.source === source ? { ...item, ...fields } : item,
      );
      guard.state.restrictions.set(ctx, 1, { market: 1, items });
    };
  const { RESTRICTION_SOURCE_CONTROLLER: CONTROLLER, RESTRICTION_SOURCE_EMERGENCY: EMERGENCY } =
    Source;

  it("hold of everything at once", () => {
    expect(broken(() => undefined)).toBeNull();
  });

  it("find a halt without cause or end, and what is raised beyond all bounds", () => {
    expect(broken(change(EMERGENCY, { cause: "" }))).toContain("emergency has no cause");
    expect(broken(change(EMERGENCY, { untilMs: 0n }))).toContain("emergency has no end");
    expect(broken(change(EMERGENCY, { initialRaisePpm: 7_000_001n }))).toContain("raises");
    expect(broken(change(EMERGENCY, { source: 9 }))).toContain("sources do not ascend");
  });

  it("find a controller outside the bounds of its rules", () => {
    expect(broken(change(CONTROLLER, { openInterestMaxLots: 999n }))).toContain("caps at 999");
    expect(broken(change(CONTROLLER, { openInterestMaxLots: 100_001n }))).toContain("caps at");
    expect(broken(change(CONTROLLER, { initialRaisePpm: 1_000_001n }))).toContain("raises by");
    expect(broken(change(CONTROLLER, { level: Level.RESTRICTION_LEVEL_HALTED }))).toContain(
      "a controller has halted",
    );
    expect(broken(({ ctx, guard }) => guard.state.restrictions.delete(ctx, 1))).toContain(
      "no controller",
    );
  });

  it("find records of nothing", () => {
    expect(
      broken(({ ctx, guard }) => {
        guard.state.watches.set(ctx, [1, 3], { buckets: [] });
      }),
    ).toContain("does not have");
    expect(
      broken(({ ctx, guard }) => {
        const measures = guard.state.measures.get(ctx, 1);
        if (measures !== undefined) guard.state.measures.set(ctx, 9, { ...measures, market: 9 });
      }),
    ).toContain("without rules");
  });
});

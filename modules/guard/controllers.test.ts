import type { MarginRule, OpenInterestRule } from "@keel/proto/gen/keel/guard/v1/types";
import { describe, expect, it } from "vitest";
import type { Explanation } from "../kit/explanation.ts";
import { createGuardWorld, type GuardWorld, PERP } from "../testing/guard-world.ts";

const pace = { intervalMs: 60_000n, stepMaxPpm: 250_000n, bandPpm: 50_000n };
const openInterest: OpenInterestRule = {
  lotsMin: 1_000n,
  lotsMax: 100_000n,
  depthRangePpm: 20_000n,
  depthMultiplePpm: 2_000_000n,
  pace,
  fundWeightPpm: 0n,
  fundTarget: "",
};
const margin: MarginRule = {
  raiseMaxPpm: 1_000_000n,
  depthLots: 10_000n,
  depthRangePpm: 20_000n,
  depthWeightPpm: 0n,
  ownerFreePpm: 500_000n,
  ownerWeightPpm: 1_000_000n,
  nearFreePpm: 100_000n,
  nearWeightPpm: 1_000_000n,
  pace: { ...pace, bandPpm: 10_000n },
};

function minutes(world: GuardWorld, count: number, price = "60000"): void {
  for (let i = 0; i < count * 6; i++) world.priced(price, 10);
}

/** Eight samples: the first move comes with the last of them. */
function warmUp(world: GuardWorld, price = "60000"): void {
  for (let i = 0; i < 8; i++) world.priced(price, 10);
}

function cap(world: GuardWorld): bigint {
  return world.guard.keeper.restriction(world.ctx, 1)?.openInterestMaxLots ?? 0n;
}

function raise(world: GuardWorld): bigint {
  return world.guard.keeper.initialRaisePpm(world.ctx, 1);
}

describe("the cap on open interest", () => {
  it("follows the depth of the thinner side, in steps, inside bounds, and back by itself", () => {
    const world = createGuardWorld();
    const [a, b] = [world.funded(1, 10_000_000n), world.funded(2, 10_000_000n)];
    world.place(PERP, a, "sell 60 @ 60600 id=s");
    world.place(PERP, b, "buy 20 @ 59400 id=b");
    // Beyond 2 %: no depth.
    world.place(PERP, b, "buy 90 @ 58700 id=far");
    world.setRules({ openInterest });
    expect(cap(world)).toBe(100_000n);
    warmUp(world);
    // A quarter less in each minute.
    expect(cap(world)).toBe(75_000n);
    minutes(world, 1);
    expect(cap(world)).toBe(56_250n);
    minutes(world, 5);
    // 20,000 lots x 2, or as near as the band leaves it.
    expect(cap(world)).toBe(40_000n);
    world.keeper.cancel(world.ctx, b, { market: PERP, orderId: 0n, clientId: "b" });
    world.place(PERP, b, "buy 60 @ 59400 id=c");
    minutes(world, 12);
    expect(cap(world)).toBe(100_000n);
    const moves = world.eventsOf("guard_move");
    expect(moves[0]).toMatchObject({
      market: PERP,
      what: "open_interest_cap",
      before: "100000",
      after: "75000",
      aim: "40000",
    });
    expect(moves[0]?.["cause"]).toContain("depth 20000000000e-6 lots x 2000000 ppm");
    expect(moves.length).toBe(world.guard.state.moves.size(world.ctx));
  });

  it("moves nothing before it has eight samples, all of which count alike", () => {
    const world = createGuardWorld();
    const [a, b] = [world.funded(1, 10_000_000n), world.funded(2, 10_000_000n)];
    world.setRules({ openInterest });
    // The book of the first block is empty, as that of every new market.
    for (let i = 0; i < 4; i++) world.priced("60000", 10);
    world.place(PERP, a, "sell 60 @ 60600");
    world.place(PERP, b, "buy 60 @ 59400");
    for (let i = 0; i < 3; i++) world.priced("60000", 10);
    expect(world.eventsOf("guard_move")).toEqual([]);
    expect(cap(world)).toBe(100_000n);
    world.priced("60000", 10);
    // Half of the samples have 60,000 lots: 30,000 but for what rounding leaves, twice.
    expect(world.guard.state.measures.get(world.ctx, 1)).toMatchObject({
      depthSamples: 8,
      depthPpmLots: 30_000n * 1_000_000n - 1n,
    });
    expect(world.eventsOf("guard_move")[0]).toMatchObject({ before: "100000", aim: "59999" });
  });

  it("is not moved by what stands in the book for a moment", () => {
    const world = createGuardWorld();
    const [a, b] = [world.funded(1, 10_000_000n), world.funded(2, 10_000_000n)];
    world.place(PERP, a, "sell 60 @ 60600");
    world.place(PERP, b, "buy 20 @ 59400");
    world.setRules({ openInterest });
    minutes(world, 10);
    expect(cap(world)).toBe(40_000n);
    const before = world.eventsOf("guard_move").length;
    world.place(PERP, b, "buy 60 @ 59500 id=flash");
    world.priced("60000", 10);
    world.keeper.cancel(world.ctx, b, { market: PERP, orderId: 0n, clientId: "flash" });
    minutes(world, 10);
    // Three times the depth, in one of eight samples: a quarter more at most.
    const since = world.eventsOf("guard_move").slice(before);
    for (const { after } of since) expect(BigInt(after ?? 0)).toBeLessThanOrEqual(50_000n);
    expect(cap(world)).toBeLessThanOrEqual(43_000n);
  });

  it("shrinks with what the insurance fund lacks, and refuses growth alone", () => {
    const world = createGuardWorld({ fundUnits: 1_000n });
    const [a, b] = [world.funded(1, 10_000_000n), world.funded(2, 10_000_000n)];
    world.trade(PERP, a, b, "2", "60000");
    world.place(PERP, a, "sell 60 @ 60600");
    world.place(PERP, b, "buy 60 @ 59400");
    const lotsMax = 2_000n;
    const weighed = { fundWeightPpm: 1_000_000n, fundTarget: "500000000" };
    const shrinking = { ...openInterest, depthMultiplePpm: 50_000n, lotsMax, ...weighed };
    world.setRules({ openInterest: shrinking });
    minutes(world, 2);
    expect(cap(world)).toBe(2_000n);
    // What is in the fund now is a fifth of what it should hold.
    world.setRules({ openInterest: { ...shrinking, fundTarget: "5000000000" } });
    minutes(world, 6);
    expect(cap(world)).toBe(1_000n);
    // 2,000 lots are open: nothing is closed, and closing is free.
    expect(() => world.trade(PERP, a, b, "0.001", "60000")).toThrow();
    world.trade(PERP, b, a, "0.5", "60000");
    expect(world.margin.keeper.openInterestLots(world.ctx, 1)).toBe(1_500n);
  });
});

describe("the raise of initial margin", () => {
  it("follows the largest owner's share over all his sub-accounts, and steps back when it falls", () => {
    const world = createGuardWorld();
    const makers = [2, 3, 4, 5].map((n) => world.funded(n, 10_000_000n));
    const whale = world.funded(1, 10_000_000n);
    makers.forEach((maker, i) => {
      world.trade(PERP, maker, whale, `${i + 1}`, "60000");
    });
    world.setRules({ margin });
    warmUp(world);
    // All longs are his: 100 % is 50 % too much.
    expect(raise(world)).toBe(250_000n);
    minutes(world, 3);
    expect(raise(world)).toBe(500_000n);
    expect(world.guard.state.measures.get(world.ctx, 1)).toMatchObject({
      ownerSharePpm: 1_000_000n,
    });
    const other = world.funded(6, 10_000_000n);
    world.trade(PERP, whale, other, "4", "60000");
    minutes(world, 4);
    // 6 of 10, and the largest short holds 4: 10 % beyond.
    expect(raise(world)).toBe(100_000n);
    world.trade(PERP, whale, other, "1", "60000");
    minutes(world, 3);
    expect(raise(world)).toBe(0n);
    const last = world.eventsOf("guard_move").at(-1);
    expect(last).toMatchObject({ what: "initial_raise", after: "0", aim: "0" });
    expect(last?.["cause"]).toContain("largest owner 500000 ppm beyond 500000");
  });

  it("follows the share of open interest near liquidation, found by a walk of some accounts a block", () => {
    const world = createGuardWorld();
    const rich = world.funded(1_000, 100_000_000n);
    // 150 accounts: three blocks of the walk. 30 lots each; 60 of them hold just above 3 % of 1,800.
    for (let n = 1; n <= 150; n++) {
      world.trade(PERP, rich, world.funded(n, n <= 60 ? 91n : 500n), "0.03", "60000");
    }
    world.setRules({ margin: { ...margin, ownerWeightPpm: 0n } });
    // Maintenance is 54: a fall of 1,200 costs 36.
    minutes(world, 2, "58900");
    const { nearSharePpm } = world.guard.state.measures.get(world.ctx, 1) ?? {};
    // 60 x 30 lots of 2 x 4,500.
    expect(nearSharePpm).toBe(200_000n);
    expect(raise(world)).toBe(100_000n);
    expect(world.eventsOf("liquidation")).toEqual([]);
  });

  it("goes to its bounds at once with other rules, and away with them", () => {
    const world = createGuardWorld();
    const [a, b] = [world.funded(1, 10_000_000n), world.funded(2, 10_000_000n)];
    world.trade(PERP, a, b, "1", "60000");
    world.setRules({ margin, openInterest });
    minutes(world, 3);
    expect(raise(world)).toBe(500_000n);
    world.setRules({ margin: { ...margin, raiseMaxPpm: 50_000n }, openInterest });
    expect(raise(world)).toBe(50_000n);
    expect(world.violation()).toBeNull();
    const depthRangePpm = 10_000n;
    expect(
      world.outcome(() => world.setRules({ margin: { ...margin, depthRangePpm }, openInterest })),
    ).toBe("guard 5");
    world.setRules(undefined);
    expect([raise(world), cap(world)]).toEqual([0n, 0n]);
    expect(world.guard.state.restrictions.size(world.ctx)).toBe(0);
    minutes(world, 1);
    expect(world.violation()).toBeNull();
  });
});

describe("a move", () => {
  const PPM = 1_000_000n;
  const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);
  const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
  type Named = (name: string) => bigint;

  function capOf(input: Named): bigint {
    const missing = most(PPM - (input("fund") * PPM) / input("target"), 0n);
    const share = PPM - (missing * input("fund weight")) / PPM;
    const byDepth = (input("depth") * input("multiple")) / (PPM * PPM);
    return least(most((byDepth * share) / PPM, input("lowest")), input("highest"));
  }

  function raiseOf(input: Named): bigint {
    const beyond = (name: string): bigint =>
      (most(input(name) - input(`${name} free`), 0n) * input(`${name} weight`)) / PPM;
    const depth = (input("missing depth") * input("depth weight")) / PPM;
    return least(depth + beyond("owner") + beyond("near"), input("highest"));
  }

  it("says from what it came, so that anyone can reckon it again, there and back", () => {
    const world = createGuardWorld({ fundUnits: 1_000n });
    const reasons: { what: string; why: Explanation }[] = [];
    const { emit } = world.ctx;
    world.ctx.emit = (type, attributes, why?: () => Explanation) => {
      emit(type, attributes);
      if (type !== "guard_move" || why === undefined) return;
      reasons.push({ what: String(attributes["what"]), why: why() });
    };
    const [a, b] = [world.funded(1, 10_000_000n), world.funded(2, 10_000_000n)];
    world.trade(PERP, a, b, "2", "60000");
    world.place(PERP, a, "sell 60 @ 60600");
    world.place(PERP, b, "buy 20 @ 59400");
    const weighed = { fundWeightPpm: 500_000n, fundTarget: "4000000000" };
    const depths = { depthLots: 30_000n, depthWeightPpm: 300_000n };
    world.setRules({
      openInterest: { ...openInterest, ...weighed },
      margin: { ...margin, ...depths },
    });
    minutes(world, 6);
    world.place(PERP, b, "buy 60 @ 59400");
    world.trade(PERP, b, a, "1", "60000");
    minutes(world, 8);
    const moved = (what: string) => reasons.filter((one) => one.what === what);
    expect(moved("open_interest_cap").length).toBeGreaterThan(3);
    expect(moved("initial_raise").length).toBeGreaterThan(3);
    for (const { what, why } of reasons) {
      const named =
        (part: "inputs" | "results"): Named =>
        (name) =>
          BigInt(why[part].find((one) => one.name === name)?.value ?? "none");
      const [input, result] = [named("inputs"), named("results")];
      const aim = what === "open_interest_cap" ? capOf(input) : raiseOf(input);
      expect(result("aim")).toBe(aim);
      const before = input("before");
      const step = most(input("largest step"), 1n);
      const next = aim > before ? least(aim, before + step) : most(aim, before - step);
      expect(result("after")).toBe(next);
    }
  });
});

import {
  RestrictionLevel as Level,
  RestrictionSource as Source,
} from "@keel/proto/gen/keel/guard/v1/types";
import { describe, expect, it } from "vitest";
import { createGuardWorld, type GuardWorld, PERP } from "../testing/guard-world.ts";
import { UNIT } from "../testing/world.ts";

const HOUR_MS = 3_600_000n;

interface Keyed extends GuardWorld {
  readonly key: string;
  tighten(change: object): string;
  loosen(change?: object): string;
}

/** The emergency key may act for a day, and double initial margin. */
function keyed(auction = false): Keyed {
  const world = createGuardWorld({ auction });
  const key = world.address(99);
  const params = {
    ...world.guard.keeper.params(world.ctx),
    emergencyKey: key,
    emergencyMaxMs: 24n * HOUR_MS,
    emergencyRaiseMaxPpm: 1_000_000n,
  };
  world.send("UpdateGuardParams", { authority: world.authority, params });
  world.priced("60000");
  const none = { level: 0, initialRaisePpm: 0n, openInterestMaxLots: 0n, closeWithdrawals: false };
  const soon = () => BigInt(world.nowMs()) + HOUR_MS;
  return {
    ...world,
    key,
    tighten: (change) =>
      world.outcome(() =>
        world.send("Tighten", {
          ...none,
          sender: key,
          market: PERP,
          untilMs: soon(),
          reason: "book looks wrong",
          ...change,
        }),
      ),
    loosen: (change = {}) =>
      world.outcome(() =>
        world.send("Loosen", {
          authority: world.authority,
          market: PERP,
          source: 0,
          openWithdrawals: false,
          ...change,
        }),
      ),
  };
}

describe("the emergency key", () => {
  it("halts one market or all, for at most its time, and each use is an event with its reason", () => {
    const world = keyed();
    const a = world.funded(1, 50_000n);
    const level = Level.RESTRICTION_LEVEL_HALTED;
    expect(world.tighten({ level })).toBe("accepted");
    expect(world.status()).toBe("halted");
    expect(world.outcome(() => world.place(PERP, a, "buy 1 @ 60000"))).toBe("derivatives 5");
    expect(world.eventsOf("guard_tightened")).toMatchObject([
      { source: "emergency", market: PERP, level: "halted", reason: "book looks wrong" },
    ]);
    world.priced("60000", 3_600);
    expect(world.status()).toBe("active");
    expect(world.tighten({ level, market: "" })).toBe("accepted");
    expect(world.status()).toBe("halted");
    const late = BigInt(world.nowMs()) + 24n * HOUR_MS + 1n;
    expect(world.tighten({ level, untilMs: late })).toBe("guard 6");
    expect(world.tighten({ level, untilMs: BigInt(world.nowMs()) })).toBe("guard 6");
  });

  it("can only tighten: what it says again joins what holds, and it cannot loosen", () => {
    const world = keyed();
    world.tighten({ level: Level.RESTRICTION_LEVEL_HALTED, openInterestMaxLots: 5n });
    const until = BigInt(world.nowMs()) + HOUR_MS;
    const softer = { level: Level.RESTRICTION_LEVEL_CLOSE_ONLY, openInterestMaxLots: 900n };
    expect(world.tighten({ ...softer, untilMs: BigInt(world.nowMs()) + 1n })).toBe("accepted");
    const [held] = world.guard.state.restrictions.get(world.ctx, 1)?.items ?? [];
    expect(held).toMatchObject({
      level: Level.RESTRICTION_LEVEL_HALTED,
      openInterestMaxLots: 5n,
      untilMs: until,
    });
    expect(world.loosen({ authority: world.key })).toBe("guard 3");
    const params = world.guard.keeper.params(world.ctx);
    expect(
      world.outcome(() => world.send("UpdateGuardParams", { authority: world.key, params })),
    ).toBe("guard 3");
    expect(
      world.outcome(() => world.send("SetMarketRules", { authority: world.key, market: PERP })),
    ).toBe("guard 3");
  });

  it("cannot renew for ever: within thirty days it holds three times its longest, overlaps once", () => {
    const world = keyed();
    const level = Level.RESTRICTION_LEVEL_CLOSE_ONLY;
    const until = (hours: bigint) => BigInt(world.nowMs()) + hours * HOUR_MS;
    for (let day = 0; day < 3; day++) {
      expect(world.tighten({ level, untilMs: until(24n) })).toBe("accepted");
      // In what holds anyway: another market, another measure.
      expect(world.tighten({ market: "", initialRaisePpm: 1_000n, untilMs: until(20n) })).toBe(
        "accepted",
      );
      world.priced("60000", 86_400);
    }
    expect(world.status()).toBe("active");
    expect(world.tighten({ level, untilMs: BigInt(world.nowMs()) + 1n })).toBe("guard 6");
    expect(world.guard.state.emergencyUse.get(world.ctx)).toMatchObject({ usedMs: 72n * HOUR_MS });
    // What is to last longer is the authority's to say.
    const sender = world.authority;
    expect(world.tighten({ sender, level, untilMs: until(600n) })).toBe("accepted");
    world.priced("60000", 27 * 86_400);
    expect(world.tighten({ level, untilMs: until(24n) })).toBe("accepted");
  });

  it("takes what still holds into its next thirty days, and another key has all of its time", () => {
    const world = keyed();
    const initialRaisePpm = 1_000n;
    const ask = (change: object) =>
      world.tighten({ initialRaisePpm, untilMs: BigInt(world.nowMs()) + 24n * HOUR_MS, ...change });
    expect(ask({})).toBe("accepted");
    world.priced("60000", 30 * 86_400 - 3_600);
    expect(ask({})).toBe("accepted");
    world.priced("60000", 3_600);
    expect(ask({})).toBe("accepted");
    expect(world.guard.state.emergencyUse.get(world.ctx)).toMatchObject({ usedMs: 24n * HOUR_MS });
    const params = {
      ...world.guard.keeper.params(world.ctx),
      emergencyTotalMaxMs: 24n * HOUR_MS,
    };
    world.send("UpdateGuardParams", { authority: world.authority, params });
    world.priced("60000", 3_600);
    expect(ask({})).toBe("guard 6");
    const emergencyKey = world.address(98);
    const other = { ...params, emergencyKey };
    world.send("UpdateGuardParams", { authority: world.authority, params: other });
    expect(ask({ sender: emergencyKey })).toBe("accepted");
  });

  it("takes reduce-only orders alone, lowers caps and raises margin inside its bound", () => {
    const world = keyed();
    const [a, b] = [world.funded(1, 50_000n), world.funded(2, 50_000n)];
    world.trade(PERP, a, b, "1", "60000");
    expect(world.tighten({ level: Level.RESTRICTION_LEVEL_CLOSE_ONLY })).toBe("accepted");
    expect(world.status()).toBe("closeOnly");
    expect(world.outcome(() => world.place(PERP, b, "buy 1 @ 60000"))).toBe("derivatives 6");
    expect(world.outcome(() => world.place(PERP, b, "sell 1 @ 60000 reduce"))).toBe("accepted");
    expect(world.loosen()).toBe("accepted");
    expect(world.tighten({ initialRaisePpm: 1_000_001n })).toBe("guard 6");
    expect(world.tighten({ initialRaisePpm: 1_000_000n })).toBe("accepted");
    expect(world.margin.keeper.health(world.ctx, b)?.initial).toBe(6_000n * UNIT);
    // 1,000 lots are open.
    expect(world.tighten({ openInterestMaxLots: 1_500n })).toBe("accepted");
    const more = (size: string) =>
      world.outcome(() => {
        world.trade(PERP, a, b, size, "60000");
      });
    world.keeper.cancelAll(world.ctx, b, PERP);
    expect(more("0.5")).toBe("accepted");
    expect(() => world.trade(PERP, a, b, "0.001", "60000")).toThrow();
    expect(world.margin.keeper.openInterestLots(world.ctx, 1)).toBe(1_500n);
  });

  it("freezes withdrawals for a bounded time; only the authority opens them early", () => {
    const world = keyed();
    const a = world.funded(1, 100n);
    const withdraw = () => world.margin.keeper.withdraw(world.ctx, a, UNIT);
    expect(world.tighten({ closeWithdrawals: true })).toBe("guard 2");
    expect(world.tighten({ closeWithdrawals: true, market: "" })).toBe("accepted");
    expect(world.outcome(withdraw)).toBe("guard 8");
    expect(withdraw).toThrow("book looks wrong");
    expect(world.loosen()).toBe("guard 7");
    expect(world.loosen({ market: "", source: Source.RESTRICTION_SOURCE_EMERGENCY })).toBe(
      "accepted",
    );
    expect(world.outcome(withdraw)).toBe("accepted");
    world.tighten({ closeWithdrawals: true, market: "" });
    world.priced("60000", 3_600);
    expect(world.outcome(withdraw)).toBe("accepted");
  });

  it("is nobody without a key, and refuses what says nothing", () => {
    const world = keyed();
    expect(world.tighten({ sender: world.address(5), level: 2 })).toBe("guard 3");
    expect(world.tighten({})).toBe("guard 2");
    expect(world.tighten({ level: 2, reason: "" })).toBe("guard 2");
    expect(world.tighten({ level: 2, market: "NO-SUCH" })).toBe("guard 4");
    expect(world.tighten({ openInterestMaxLots: 5n, market: "" })).toBe("guard 2");
    expect(world.loosen()).toBe("guard 7");
  });
});

describe("the authority", () => {
  it("restricts for longer than the key, and opens a market that has auctions with one", () => {
    const world = keyed(true);
    const sender = world.authority;
    const untilMs = BigInt(world.nowMs()) + 48n * HOUR_MS;
    expect(world.tighten({ sender, level: 2, untilMs })).toBe("accepted");
    expect(world.loosen()).toBe("accepted");
    expect(world.eventsOf("guard_ended")).toMatchObject([
      { source: "authority", reason: "loosened", cause: "book looks wrong" },
    ]);
    expect(world.eventsOf("auction_opening")).toMatchObject([{ reason: "halt" }]);
    for (let second = 0; second < 4; second++) world.priced("60000");
    expect(world.status()).toBe("active");
  });

  it("opens the gate that clearing closed, unless an account is below zero", () => {
    const world = keyed();
    const a = world.funded(1, 100n);
    const { ctx, margin } = world;
    margin.keeper.gateWithdrawals(ctx, ctx.header.timeNs + 10n ** 15n, "invariant x is broken");
    const withdraw = () => margin.keeper.withdraw(ctx, a, UNIT);
    expect(world.outcome(withdraw)).toBe("margin 10");
    expect(world.loosen({ openWithdrawals: true })).toBe("accepted");
    expect(world.outcome(withdraw)).toBe("accepted");
    margin.keeper.gateWithdrawals(ctx, ctx.header.timeNs + 10n ** 15n, "again");
    const totals = margin.state.totals.require(ctx);
    margin.state.totals.set(ctx, { ...totals, pendingShortfall: 1n });
    expect(world.loosen({ openWithdrawals: true })).toBe("guard 10");
    expect(world.outcome(withdraw)).toBe("margin 10");
  });
});

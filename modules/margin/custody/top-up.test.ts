import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import type { Explanation } from "../../kit/explanation.ts";
import { BTC, ETH } from "../testing/world.ts";
import { type CustodyWorld, custodyWorld, MARK, UNIT } from "./testing.ts";

let world: CustodyWorld;
let trader: AccountId;
let giver: AccountId;
let maker: AccountId;
let bidder: AccountId;

/** 10 lots long on 60 units: at 46,200 equity is 22 and maintenance 23.1. */
const LOW = 46_200n;

beforeEach(() => {
  world = custodyWorld();
  trader = world.fund(1, 0, 60n * UNIT);
  giver = world.fund(1, 1, 100n * UNIT);
  maker = world.fund(2, 0, 100_000n * UNIT);
  bidder = world.fund(7, 0, 100_000n * UNIT);
  expect(world.clear(world.trade(trader, maker, 10n))).toBe("accepted");
});

function fall(ticks: bigint, market = BTC): void {
  world.markets.setMark(world.ctx, market, ticks);
  const bid = { account: bidder, market, side: "buy", lots: 100n, feeReserve: 0n } as const;
  world.markets.rest(world.ctx, { ...bid, ticks: ticks - 10n });
  world.endBlock();
  expect(world.violated()).toBeNull();
}

const collateral = (id: AccountId): bigint =>
  world.margin.keeper.account(world.ctx, id)?.collateral ?? 0n;

describe("a top-up", () => {
  it("comes before the liquidation, up to the target, and says what it did", () => {
    world.setTopUp(1, 0, {});
    fall(LOW);
    // 1.25 × 23.1 − 22.
    expect(collateral(giver)).toBe(100n * UNIT - 6_875_000n);
    expect(world.equity(trader)).toBe(28_875_000n);
    expect(world.happened("liquidation")).toEqual([]);
    expect(world.happened("top_up")).toEqual([
      {
        account: `${world.text(1)}/0`,
        from: `${world.text(1)}/1`,
        amount: "6875000",
        equity_before: "22000000",
        equity_after: "28875000",
        maintenance: "23100000",
        target_ppm: "1250000",
        cap_left: `${1_000n * UNIT - 6_875_000n}`,
      },
    ]);
    world.ctx.nextBlock();
    world.endBlock();
    expect(world.happened("top_up")).toHaveLength(1);
  });

  it("can say why: what it was decided from gives what it did", () => {
    world.setTopUp(1, 0, {});
    const reasons: Explanation[] = [];
    const { emit } = world.ctx;
    world.ctx.emit = (type, attributes, why) => {
      if (type === "top_up" && why !== undefined) reasons.push(why());
      emit(type, attributes);
    };
    fall(LOW);
    const value = (name: string): bigint => {
      const [reason] = reasons;
      const all = [...(reason?.inputs ?? []), ...(reason?.results ?? [])];
      return BigInt(all.find((one) => one.name === name)?.value ?? "-1");
    };
    expect(value("amount")).toBe(
      (value("maintenance") * value("target")) / 1_000_000n - value("equity"),
    );
    expect(value("equity after")).toBe(value("equity") + value("amount"));
    expect(value(`available of ${world.text(1)}/1`)).toBe(100n * UNIT);
  });

  it("takes nothing from a giver whose price holds withdrawals back, and stops no market over it", () => {
    world.setTopUp(1, 0, {});
    expect(world.clear(world.trade(giver, maker, 1n, { market: ETH }))).toBe("accepted");
    world.markets.holdBack(world.ctx, ETH);
    fall(LOW);
    expect(world.markets.quarantined).toEqual([]);
    expect(world.happened("top_up")).toEqual([]);
    expect(world.happened("top_up_refused")).toHaveLength(1);
    expect(world.happened("liquidation")).toHaveLength(1);
  });

  it("does not come without a rule, nor after one that was taken away", () => {
    world.setTopUp(1, 0, {});
    world.setTopUp(1, 0, undefined);
    fall(LOW);
    expect(collateral(giver)).toBe(100n * UNIT);
    expect(world.happened("liquidation")).toHaveLength(1);
  });

  it("takes from several in the order of the rule, from each what it has free", () => {
    world.fund(1, 5, 2n * UNIT);
    world.setTopUp(1, 0, { from: [5, 9, 1] });
    fall(LOW);
    expect(world.happened("top_up").map(({ from, amount }) => [from, amount])).toEqual([
      [`${world.text(1)}/5`, "2000000"],
      [`${world.text(1)}/1`, "4875000"],
    ]);
    expect(world.margin.keeper.exists(world.ctx, world.sub(1, 5))).toBe(false);
  });

  it("leaves the giver its initial requirement, whatever is asked", () => {
    expect(world.clear(world.trade(giver, maker, 18n, { market: ETH }))).toBe("accepted");
    world.setTopUp(1, 0, { targetPpm: 10_000_000n });
    fall(LOW);
    // 100 units, 90 of which 18 lots need.
    expect(collateral(giver)).toBe(90n * UNIT);
    const health = world.margin.keeper.health(world.ctx, giver);
    expect(health?.equity).toBe(health?.initial);
  });

  it("moves nothing when that would not stop the liquidation, and says what was missing", () => {
    world.setTopUp(1, 0, { capPerDay: "1000000" });
    fall(LOW);
    expect(collateral(giver)).toBe(100n * UNIT);
    expect(world.happened("top_up_refused")[0]).toEqual({
      account: `${world.text(1)}/0`,
      needed: "1100000",
      available: "1000000",
      cap_left: "1000000",
      equity: "22000000",
      maintenance: "23100000",
    });
    expect(world.happened("liquidation")).toHaveLength(1);
  });

  it("throws no money after an isolated account that stays bankrupt", () => {
    world.margin.keeper.setMode(world.ctx, trader, "isolated");
    world.setTopUp(1, 0, {});
    // 60 − 190: more is missing than the giver has.
    fall(31_000n);
    expect(collateral(giver)).toBe(100n * UNIT);
    expect(world.happened("top_up")).toEqual([]);
    expect(world.equity(trader)).toBeLessThanOrEqual(0n);
  });

  it("rescues an account below zero when it can in full", () => {
    world.setTopUp(1, 0, {});
    fall(43_900n);
    expect(world.equity(trader)).toBe(27_437_500n);
    expect(world.happened("deficit")).toEqual([]);
  });

  it("keeps to the day's cap over many falls", () => {
    world.setTopUp(1, 0, { capPerDay: "8000000" });
    fall(LOW);
    world.ctx.nextBlock();
    fall(45_000n);
    expect(world.happened("top_up")).toHaveLength(1);
    expect(world.happened("top_up_refused")).toHaveLength(1);
    expect(collateral(giver)).toBe(100n * UNIT - 6_875_000n);
  });

  it("begins a new cap with the day", () => {
    world.setTopUp(1, 0, { capPerDay: "8000000" });
    fall(LOW);
    world.ctx.nextBlock(86_400);
    fall(45_500n);
    expect(world.happened("top_up")).toHaveLength(2);
  });

  it("takes nothing from an isolated, a stale or a stopped giver", () => {
    world.setTopUp(1, 0, {});
    expect(world.clear(world.trade(giver, maker, 1n, { market: ETH }))).toBe("accepted");
    world.margin.keeper.setMode(world.ctx, giver, "isolated");
    const savepoint = world.ctx.state.savepoint();
    fall(LOW);
    expect(world.happened("top_up")).toEqual([]);
    world.ctx.state.revert(savepoint);
    world.margin.keeper.setMode(world.ctx, giver, "cross");
    world.markets.setMark(world.ctx, ETH, MARK, false);
    fall(LOW);
    expect(world.happened("top_up")).toEqual([]);
    world.ctx.state.revert(savepoint);
    world.margin.keeper.setMode(world.ctx, giver, "cross");
    world.markets.setStatus(world.ctx, ETH, "quarantined");
    fall(LOW);
    expect(world.happened("top_up")).toEqual([]);
  });

  it("goes no circles: two that top each other up are both liquidated when both are short", () => {
    const second = world.fund(1, 2, 60n * UNIT);
    expect(world.clear(world.trade(second, maker, 10n))).toBe("accepted");
    world.setTopUp(1, 0, { from: [2] });
    world.setTopUp(1, 2, { from: [0] });
    fall(LOW);
    expect(world.happened("top_up")).toEqual([]);
    expect(world.happened("liquidation")).toHaveLength(2);
  });

  it("goes no circles: what gave keeps its initial margin, so the money does not come back", () => {
    expect(world.clear(world.trade(giver, maker, 5n))).toBe("accepted");
    world.setTopUp(1, 0, {});
    world.setTopUp(1, 1, { from: [0] });
    for (let i = 0; i < 5; i++) {
      fall(LOW - BigInt(i));
      world.ctx.nextBlock();
    }
    const moved = world.happened("top_up");
    expect(moved.every(({ from }) => from === `${world.text(1)}/1`)).toBe(true);
    expect(moved).toHaveLength(1);
    expect(world.equity(trader) + world.equity(giver)).toBeGreaterThan(0n);
  });

  it("obeys the giver's policy: nothing, or so much a day", () => {
    world.setTopUp(1, 0, {});
    world.setPolicy({ topUpPerDay: "0" }, 1, 1);
    const savepoint = world.ctx.state.savepoint();
    fall(LOW);
    expect(world.happened("top_up")).toEqual([]);
    expect(world.happened("liquidation")).toHaveLength(1);
    world.ctx.state.revert(savepoint);
    const { custody } = world.margin.state;
    const policy = custody.policies.get(world.ctx, giver);
    custody.policies.set(world.ctx, giver, { ...policy, topUpPerDay: "2000000" } as never);
    fall(LOW);
    expect(world.happened("top_up").at(-1)).toMatchObject({ amount: "2000000" });
    // Another rule is no new allowance.
    world.setTopUp(1, 3, { from: [1] });
    const other = world.fund(1, 3, 60n * UNIT);
    expect(world.clear(world.trade(other, maker, 10n, { priceTicks: LOW }))).toBe("accepted");
    world.markets.setMark(world.ctx, BTC, 42_500n);
    world.endBlock();
    expect(collateral(giver)).toBe(98n * UNIT);
    expect(world.violated()).toBeNull();
  });

  it.each([
    ["of itself", { from: [0] }, "sameAccount"],
    ["of nobody", { from: [] }, "invalidRequest"],
    ["of one twice", { from: [1, 1] }, "invalidRequest"],
    ["of nine", { from: [1, 2, 3, 4, 5, 6, 7, 8, 9] }, "invalidRequest"],
    ["below maintenance", { targetPpm: 999_999n }, "invalidRequest"],
    ["without a cap", { capPerDay: "0" }, "invalidAmount"],
  ] as const)("is refused as a rule %s", (_name, rule, expected) => {
    const over = rule as Parameters<CustodyWorld["setTopUp"]>[2];
    expect(world.outcome(() => world.setTopUp(1, 0, over))).toBe(expected);
  });
});

const step = fc.integer({ min: -900, max: 700 });

it("over random paths and rules leaves givers their initial margin, keeps to the cap, and every total", () => {
  const account = fc.record({
    units: fc.bigInt(20n, 200n),
    lots: fc.bigInt(-12n, 12n),
    from: fc.uniqueArray(fc.integer({ min: 0, max: 2 }), { minLength: 1 }),
    cap: fc.bigInt(1n, 60n),
  });
  const accounts = fc.tuple(account, account, account);
  fc.assert(
    fc.property(accounts, fc.array(step, { maxLength: 12 }), (owners, path) => {
      world = custodyWorld();
      bidder = world.fund(7, 0, 100_000n * UNIT);
      maker = world.fund(2, 0, 100_000n * UNIT);
      for (const [n, { units, lots, from, cap }] of owners.entries()) {
        const id = world.fund(1, n, units * UNIT);
        const size = lots < 0n ? -lots : lots;
        const [buyer, seller] = lots > 0n ? [id, maker] : [maker, id];
        if (size > 0n) world.clear(world.trade(buyer, seller, size));
        const givers = from.filter((number) => number !== n);
        if (givers.length === 0) continue;
        world.setTopUp(1, n, { from: givers, capPerDay: `${cap * UNIT}` });
      }
      let ticks = MARK;
      for (const change of path) {
        ticks += BigInt(change);
        const before = world.happened("top_up").length;
        fall(ticks);
        for (const { from } of world.happened("top_up").slice(before)) {
          const health = world.margin.keeper.health(world.ctx, world.sub(1, Number(from?.at(-1))));
          if (health !== undefined) expect(health.equity).toBeGreaterThanOrEqual(health.initial);
        }
        world.ctx.nextBlock();
      }
      for (const [n, { cap }] of owners.entries()) {
        const of = world.happened("top_up").filter(({ account: to }) => to?.endsWith(`/${n}`));
        const moved = of.reduce((sum, { amount }) => sum + BigInt(amount ?? 0), 0n);
        expect(moved).toBeLessThanOrEqual(cap * UNIT);
      }
    }),
    { numRuns: Number(process.env["KEEL_CUSTODY_RUNS"] ?? 25) },
  );
});

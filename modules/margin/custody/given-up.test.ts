import { beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { BTC, ETH } from "../testing/world.ts";
import { type CustodyWorld, custodyWorld, UNIT, uncovered } from "./testing.ts";

let world: CustodyWorld;
let holder: AccountId;
let bystander: AccountId;

/** Closing at mark only: what is missing goes to the queue and nobody else pays. */
beforeEach(() => {
  world = custodyWorld({ deleverageBandPpm: 0n, marketGates: true });
  const loser = world.fund(1, 0, 60n * UNIT);
  const winner = world.fund(2, 0, 60n * UNIT);
  holder = world.fund(3, 0, 1_000n * UNIT);
  bystander = world.fund(4, 0, 1_000n * UNIT);
  world.fund(5, 0, 1_000n * UNIT);
  world.clear(world.trade(loser, winner, 10n));
  world.clear(world.trade(world.sub(5, 0), holder, 10n));
  world.clear(world.trade(bystander, world.sub(5, 0), 10n, { market: ETH }));
});

/** The loser ends 40 below zero. */
function crash(): void {
  world.markets.setMark(world.ctx, BTC, 40_000n);
  world.endBlock();
  expect(world.violated()).toBeNull();
}

describe("a market that is short", () => {
  it("lets its holders give up to others no more than it can spare, in whatever market", () => {
    crash();
    const sold = { market: ETH, priceTicks: 40_000n };
    // 2,160 stand behind 40: each of these gives 100 away against the mark.
    const outcomes = new Set<string>();
    let given = 0n;
    for (let i = 0; i < 30 && !outcomes.has("withdrawalsGated"); i++) {
      const outcome = world.clear(world.trade(bystander, holder, 10n, sold));
      outcomes.add(outcome);
      if (outcome !== "accepted") break;
      given += 100n;
      world.clear(world.trade(holder, bystander, 10n, { market: ETH }));
    }
    expect(outcomes).toContain("accepted");
    expect(world.margin.state.custody.solvency.get(world.ctx, BTC)?.backing).toBe(
      `${(2_160n - given) * UNIT}`,
    );
    const { keeper } = world.margin;
    const free = keeper.freeCollateral(world.ctx, bystander);
    keeper.withdraw(world.ctx, bystander, free);
    expect(uncovered(world)).toBe(0n);
    expect(world.violated()).toBeNull();
  });

  it("that can spare nothing more keeps trades at the mark, and refuses those that give something up", () => {
    crash();
    const { solvency } = world.margin.state.custody;
    const known = solvency.get(world.ctx, BTC);
    solvency.set(world.ctx, BTC, { ...known, backing: `${90n * UNIT}` } as never);
    const sold = { market: ETH, priceTicks: 45_000n };
    expect(world.clear(world.trade(bystander, holder, 11n, sold))).toBe("withdrawalsGated");
    expect(world.clear(world.trade(bystander, holder, 10n, sold))).toBe("accepted");
    expect(solvency.get(world.ctx, BTC)?.backing).toBe(`${40n * UNIT}`);
    expect(world.clear(world.trade(bystander, holder, 1n, sold))).toBe("withdrawalsGated");
    expect(world.clear(world.trade(bystander, holder, 1n, { market: ETH }))).toBe("accepted");
    // Where withdrawals are closed for all nothing gets out either way.
    const until = world.ctx.header.timeNs + 600_000_000_000n;
    world.margin.keeper.gateWithdrawals(world.ctx, until, "a test");
    expect(world.clear(world.trade(bystander, holder, 1n, sold))).toBe("accepted");
  });
});

import { beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { createInsuredWorld, type InsuredWorld } from "../../testing/insured-world.ts";
import { COIN, FEED, give, health, WBTC, wbtc } from "../collateral-assets/testing/assets.ts";
import { BTC } from "../testing/world.ts";

const UNIT = 1_000_000n;

let world: InsuredWorld;
/** Ends five below zero in cash; the winner has gained fifteen. The funds are empty, so that nobody buys assets. */
let loser: AccountId;
let winner: AccountId;

beforeEach(() => {
  world = createInsuredWorld();
  world.set({ gainsHaircutPpm: 500_000 });
  world.prices.set(FEED, { mantissa: 50_000n, exponent: 0, confidence: 0n, fresh: true });
  world.margin.keeper.assets.set(world.ctx, WBTC, wbtc());
  loser = world.funded(5, 10n * UNIT);
  winner = world.funded(3, 100n * UNIT);
  world.trade(winner, loser, 100n, 1_000n);
});

/** What the winner has gained when all is settled. */
function settle(): bigint {
  world.markets.expire(world.ctx, BTC, 1_150_000n);
  for (let block = 0; block < 4; block++) {
    world.margin.keeper.endBlock(world.ctx);
    expect(world.violated()).toBeNull();
    world.ctx.nextBlock();
  }
  return (world.margin.keeper.account(world.ctx, winner)?.collateral ?? 0n) - 100n * UNIT;
}

describe("a settlement that leaves an account with assets below zero in cash", () => {
  it("takes nothing of the gains while its assets are worth more than it owes", () => {
    give(world, 5, COIN / 100n);
    expect(settle()).toBe(15n * UNIT);
    expect(world.reports("gains_haircut")).toEqual([]);
    expect(health(world, loser)).toMatchObject({ cash: -5n * UNIT, equity: 470n * UNIT });
  });

  it("takes of them what its assets do not cover, and no more", () => {
    // Counts for about two units, at 95 %.
    give(world, 5, COIN / 23_750n);
    const covered = health(world, loser).equity - 10n * UNIT;
    expect(covered).toBeGreaterThan(0n);
    expect(settle()).toBe(10n * UNIT + covered);
    expect(health(world, loser)).toMatchObject({ cash: -covered, equity: 0n });
  });
});

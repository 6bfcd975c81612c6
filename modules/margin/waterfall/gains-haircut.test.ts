import { SettlementSweep } from "@keel/proto/gen/keel/margin/v1/types";
import { beforeEach, describe, expect, test } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { createAddresses } from "../../kit/addresses.ts";
import { createInsuredWorld, type InsuredWorld } from "../../testing/insured-world.ts";
import { BTC, DENOM } from "../testing/world.ts";
import { HaircutBook } from "./gains-haircut.ts";

const UNIT = 1_000_000n;

let world: InsuredWorld;
/** Loses 100 a tick of a thousandth; the others gain 10, 30 and 60. */
let loser: AccountId;
let winners: AccountId[];

function start(params: Parameters<typeof createInsuredWorld>[0] = {}, haircutPpm = 500_000): void {
  world = createInsuredWorld(params);
  world.set({ gainsHaircutPpm: haircutPpm });
  loser = world.funded(5, 10n * UNIT);
  winners = [3, 4, 8].map((number) => world.funded(number, 100n * UNIT));
  for (const [i, winner] of winners.entries()) {
    world.trade(winner, loser, [10n, 30n, 60n][i] ?? 0n, 1_000n);
  }
}
beforeEach(() => start());

/** The market ends at so many quanta a lot; blocks pass until it is settled. */
function expire(quantaPerLot: bigint): void {
  world.markets.expire(world.ctx, BTC, quantaPerLot);
  for (let block = 0; block < 12; block++) {
    world.margin.keeper.endBlock(world.ctx);
    expect(world.violated()).toBeNull();
    world.ctx.nextBlock();
  }
  expect(world.markets.terms(world.ctx, BTC)?.status).toBe("settled");
}
const gained = (): bigint[] =>
  winners.map((id) => (world.margin.keeper.account(world.ctx, id)?.collateral ?? 0n) - 100n * UNIT);
const open = (): bigint => world.margin.keeper.pendingShortfall(world.ctx, DENOM);

describe("the haircut of gains at a settlement", () => {
  test("takes what losers could not pay from those who gained, all by the same share, to the quantum", () => {
    // 15 units gained, ten were there: a third of each gain.
    expire(1_150_000n);
    expect(gained()).toEqual([1_000_000n, 3_000_000n, 6_000_000n]);
    expect(open()).toBe(0n);
    const cuts = world.reports("gains_haircut");
    expect(cuts.map(({ gain, kept }) => [gain, kept])).toEqual([
      ["1500000", "500000"],
      ["4500000", "1500000"],
      ["9000000", "3000000"],
    ]);
    for (const { lines } of world.losses()) {
      expect([...lines.values()].reduce((sum, quanta) => sum + quanta, 0n)).toBe(0n);
    }
    expect(world.losses().at(-1)?.lines).toEqual(
      new Map([
        ["queue", -5n * UNIT],
        ["haircut", 5n * UNIT],
      ]),
    );
  });

  test("is Injective's published share: a fifth of the profits missing, 10 of 50, leaves 8 of each 10", () => {
    // Theirs moves entry prices, from 100 to 102 of a position settled at 110; ours cuts the gain, by as much. 12.5 were gained here, ten were there.
    expire(1_125_000n);
    expect(gained()).toEqual([1_000_000n, 3_000_000n, 6_000_000n]);
    expect(world.reports("gains_haircut").map(({ gain, kept }) => [gain, kept])).toEqual([
      ["1250000", "250000"],
      ["3750000", "750000"],
      ["7500000", "1500000"],
    ]);
    expect(open()).toBe(0n);
  });

  test("comes after the funds, and touches nobody when they are enough", () => {
    world.endow(5n * UNIT);
    expire(1_150_000n);
    expect(gained()).toEqual([1_500_000n, 4_500_000n, 9_000_000n]);
    expect(world.reports("gains_haircut")).toEqual([]);
  });

  test("takes half of a gain at most; the rest stands in the queue", () => {
    // 30 gained, ten there: 20 missing, of which 15 may be taken.
    expire(1_300_000n);
    expect(gained()).toEqual([1_500_000n, 4_500_000n, 9_000_000n]);
    expect(open()).toBe(5n * UNIT);
  });

  test("is the same however many blocks it takes", () => {
    start({ settlementPositionsPerBlockMax: 1 });
    expire(1_150_001n);
    const slow = gained();
    start();
    expire(1_150_001n);
    expect(gained()).toEqual(slow);
    expect(open()).toBe(0n);
  });

  test("is off without the parameter: gains are paid in full and the fund's debt stands in the queue", () => {
    start({}, 0);
    expire(1_150_000n);
    expect(gained()).toEqual([1_500_000n, 4_500_000n, 9_000_000n]);
    expect(open()).toBe(5n * UNIT);
  });

  test("carries its book through genesis between its passes", () => {
    start({ settlementPositionsPerBlockMax: 1 });
    world.markets.expire(world.ctx, BTC, 1_150_000n);
    for (let block = 0; block < 3; block++) {
      world.margin.keeper.endBlock(world.ctx);
      world.ctx.nextBlock();
    }
    const sweep = world.margin.state.sweep.require(world.ctx);
    expect(sweep.second).toBe(false);
    expect(sweep.gains).toEqual([
      { market: BTC, gains: "6000000", missing: "5000000", paid: "0", taken: "0" },
    ]);
    expect(sweep.claims).toMatchObject([{ subaccount: 0, missing: "5000000" }]);
    const { genesis } = world.margin.module;
    if (genesis.kind !== "proto") throw new Error("expected proto genesis");
    expect(genesis.export(world.ctx).length).toBeGreaterThan(0);
  });

  test("stops no market when another, which had made up for a gain in the first pass, has stopped since", () => {
    const sweep = SettlementSweep.fromPartial({ second: true, haircutPpm: 500_000 });
    const book = new HaircutBook(sweep, createAddresses("keel"));
    expect(book.cut([{ market: BTC, realised: 10n * UNIT }])).toBeNull();
  });
});

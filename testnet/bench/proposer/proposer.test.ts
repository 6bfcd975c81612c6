import { describe, expect, it } from "vitest";
import { play, type Standing, type Strategy, strategies } from "./episode.ts";
import { type Rules, Stage } from "./stage.ts";

async function gains(
  rules: Rules,
  strategy: Strategy | null,
  standing: Standing,
  episodes = 4,
): Promise<bigint[]> {
  const stage = await Stage.open(rules, 1);
  const all: bigint[] = [];
  for (let seed = 1; seed <= episodes; seed++)
    all.push(await play(stage, seed, strategy, standing));
  return all;
}

const sum = (all: readonly bigint[]): bigint => all.reduce((total, one) => total + one, 0n);

// The whole table: npm run proposer
describe("a proposer", { timeout: 120_000 }, () => {
  it("gains to the unit what anybody gains with the same orders in a batch-auction market", async () => {
    for (const strategy of ["snipe", "sandwich"] as const) {
      const power = await gains("auction", strategy, "power");
      expect(power).toEqual(await gains("auction", strategy, "none"));
    }
  });

  it("gains to the unit nothing by holding back cancels where quotes are meant for one block", async () => {
    const strategy = "hold back cancels";
    expect(await gains("fleeting", strategy, "power")).toEqual(
      await gains("fleeting", strategy, "none"),
    );
  });

  it("gains from stale quotes by going first in a continuous market, and nothing where lanes are checked", async () => {
    expect(sum(await gains("continuous", "snipe", "power"))).toBeGreaterThan(0n);
    expect(sum(await gains("lanes", "snipe", "power"))).toBe(0n);
  });

  it("gains to the unit nothing by reordering, adding or holding back, by any of its ways, where lists give rounds", async () => {
    for (const rules of ["rounds", "rounds late"] as const) {
      for (const strategy of strategies) {
        if (strategy === "choose votes") continue;
        expect([strategy, await gains(rules, strategy, "power")]).toEqual([
          strategy,
          await gains(rules, strategy, "none"),
        ]);
      }
    }
  });

  it("still has a choice on orders that had reached less than half of the validators: it decides which votes count", async () => {
    const power = sum(await gains("rounds late", "choose votes", "power", 8));
    expect(power).toBeGreaterThan(sum(await gains("rounds late", "choose votes", "none", 8)));
    // Less than what it has where it decides what a block holds.
    expect(power).toBeLessThan(sum(await gains("auction", "hold back makers", "power", 8)) / 2n);
  });

  it("gains most, without lists, by leaving all others' quotes out and serving the takers in their place", async () => {
    for (const rules of ["lanes", "auction", "fleeting"] as const) {
      const gained = sum(await gains(rules, "hold back makers", "power"));
      expect(gained).toBeGreaterThan(sum(await gains(rules, "hold back cancels, alone", "power")));
      // What rests until it is replaced is still there when the replacement is held back.
      const replaced = sum(await gains("replacing", "hold back makers", "power"));
      expect(replaced).toBeLessThan(gained / 4n);
    }
  });

  it("that does nothing has nothing", async () => {
    expect(sum(await gains("auction", null, "none"))).toBe(0n);
  });
});

import { describe, expect, it } from "vitest";
import { absolute } from "../../kit/math/mul-div.ts";
import { portfolioRequirement } from "../portfolio/requirement.ts";
import type { RiskArray } from "../portfolio/risk-array.ts";
import { disagreeing } from "./portfolio-path.ts";
import { ROUNDED_QUANTA, riseOf } from "./portfolio-rise.ts";
import { Dice } from "./testing/dice.ts";
import { listedModel, modelMoved } from "./testing/random-models.ts";

const STEPS = Number(process.env["KEEL_BOUNDS_WORLDS"] ?? 24) * 8;
const BOOKS = 6;

type Book = readonly { readonly contract: number; readonly lots: bigint }[];

function bookOf(dice: Dice, arrays: readonly (RiskArray | null)[]): Book {
  return arrays.flatMap((array, contract) => {
    if (array === null || dice.oneIn(3)) return [];
    const size = dice.between(1n, dice.oneIn(3) ? 4n : 3_000n);
    return [{ contract, lots: dice.oneIn(2) ? size : -size }];
  });
}

/** Without concentration, which is held back and not followed. */
function needed(book: Book, arrays: readonly (RiskArray | null)[]): bigint {
  const positions = book.map(({ contract, lots }) => {
    return { array: arrays[contract] as RiskArray, low: lots, high: lots };
  });
  const [first] = positions;
  if (first === undefined) return 0n;
  const { model } = first.array.underlying;
  const { maintenance, addOns } = portfolioRequirement({
    model,
    positions,
    haircut: { initial: 0n, maintenance: 0n },
    depegPpm: 0n,
    elsewhere: () => 0n,
  });
  const charged = addOns.find(({ name }) => name === "concentration");
  return maintenance - (charged?.maintenance ?? 0n);
}

describe("what a change of risk arrays raises a requirement by", () => {
  it("is at most the sum of lots × what their arrays say, whatever is held", () => {
    const dice = new Dice(11);
    let world = listedModel(dice);
    let compared = 0;
    let risen = 0;
    let tight = 0;
    for (let step = 0; step < STEPS; step++) {
      // Now and then another model, other measured betas, other volumes.
      if (step % 12 === 0) world = listedModel(dice);
      const before = world.arrays;
      world = modelMoved(dice, world);
      const after = world.arrays;
      const arrays = [...before, ...after].flatMap((one) => one ?? []);
      if (disagreeing(before.flatMap((one) => one ?? [])).size > 0) continue;
      if (disagreeing(after.flatMap((one) => one ?? [])).size > 0) continue;
      if (arrays.length < 4) continue;
      for (let i = 0; i < BOOKS; i++) {
        const both = before.map((one, contract) => (after[contract] === null ? null : one));
        const book = bookOf(dice, both);
        const rises = book.map(({ contract, lots }) => {
          const rise = riseOf(both[contract] as RiskArray, after[contract] as RiskArray);
          return rise === null ? null : rise * absolute(lots);
        });
        if (book.length === 0 || rises.includes(null)) continue;
        const most = rises.reduce<bigint>((sum, rise) => sum + (rise ?? 0n), 0n);
        const rise = needed(book, after) - needed(book, before);
        const room = ROUNDED_QUANTA * BigInt(book.length);
        expect((rise - room) * 1_000_000n, `step ${step}`).toBeLessThanOrEqual(most);
        compared += 1;
        if (rise > 0n) risen += 1;
        if (rise > room && rise * 1_300_000n > most) tight += 1;
      }
    }
    console.log(
      `${compared} books compared, ${risen} need more than before, ${tight} by nearly all`,
    );
    expect(risen).toBeGreaterThan(STEPS);
    expect(tight).toBeGreaterThan(10);
  }, 900_000);
});

import { expect, it } from "vitest";
import { createRandom } from "../random.ts";
import {
  eachStop,
  joinedLists,
  listOf,
  type StopList,
  type TrailingStop,
  withoutStop,
  withStop,
} from "./stop-list.ts";

const stops = (count: number, seed: number): TrailingStop[] => {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, id) => ({ id, ticks: 1 + random.below(500), ppm: 0 }));
};
const sorted = (all: readonly TrailingStop[]): TrailingStop[] =>
  [...all].sort((a, b) => a.ticks - b.ticks || a.id - b.id);

it("holds stops by distance and id, whatever was put in, taken out and joined", () => {
  const random = createRandom(3);
  const present: TrailingStop[] = [];
  let list: StopList = [];
  for (const stop of stops(3_000, 1)) {
    list = withStop(list, stop);
    present.push(stop);
    if (random.below(3) === 0) {
      const [gone] = present.splice(random.below(present.length), 1) as [TrailingStop];
      list = withoutStop(list, gone);
    }
  }
  expect([...eachStop(list)]).toEqual(sorted(present));
  const more = stops(700, 2).map(({ id, ticks }) => ({ id: 10_000 + id, ticks, ppm: 0 }));
  expect([...eachStop(joinedLists([[], listOf(more), list]))]).toEqual(
    sorted([...present, ...more]),
  );
  expect(joinedLists([[], list, []])).toBe(list);
  const [first] = more as [TrailingStop];
  expect(() => withoutStop(list, first)).toThrow(/not in its class/);
  for (const stop of present) list = withoutStop(list, stop);
  expect(list).toEqual([]);
});

it("shares all but a few hundred stops with what it was before a change, so that a block may take out thousands", () => {
  const all = stops(60_000, 5);
  const before = listOf(all);
  const known = new Set(before);
  for (const stop of [all[0], all[30_000], all[59_999]] as TrailingStop[]) {
    const after = withoutStop(before, stop);
    const made = [...after, ...withStop(after, stop)].filter((chunk) => !known.has(chunk));
    expect(made.reduce((sum, chunk) => sum + chunk.length, 0)).toBeLessThan(2_000);
    expect(after.length).toBeLessThan(500);
  }
});

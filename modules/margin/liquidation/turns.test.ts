import { describe, expect, it } from "vitest";
import { JUDGED_PER_TURN } from "../limits.ts";
import { turnsOf } from "./turns.ts";

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const always = (): boolean => true;

describe("the turns of a block", () => {
  it("are everybody's where there are enough, in their order", () => {
    expect(turnsOf(numbers(8), 8, 5, always)).toEqual(numbers(8));
    expect(turnsOf(numbers(20), 8, 5, (one) => one % 3 === 0)).toEqual([0, 3, 6, 9, 12, 15, 18]);
  });

  it("are three quarters the most urgent's, and with the heights everybody's", () => {
    const had = new Set<number>();
    for (let height = 1; height <= 47; height++) {
      const turns = turnsOf(numbers(100), 8, height, always);
      expect(turns).toHaveLength(8);
      expect(turns.slice(0, 6)).toEqual(numbers(6));
      for (const one of turns) had.add(one);
    }
    expect(had.size).toBe(100);
  });

  it("are one of two or three the others', and a single one the most urgent's", () => {
    for (const most of [2, 3]) {
      const had = new Set<number>();
      for (let height = 1; height <= 10; height++) {
        const turns = turnsOf(numbers(10), most, height, always);
        expect(turns).toHaveLength(most);
        expect(turns.slice(0, most - 1)).toEqual(numbers(most - 1));
        for (const one of turns) had.add(one);
      }
      expect(had.size).toBe(10);
      expect(turnsOf(numbers(most), most, 5, always)).toEqual(numbers(most));
    }
    for (let height = 1; height <= 10; height++)
      expect(turnsOf(numbers(10), 1, height, always)).toEqual([0]);
  });

  it("pass over who waits, and are everybody's in time whoever does", () => {
    const due = (one: number): boolean => one % 7 === 3;
    const had = new Set<number>();
    for (let height = 1; height <= 5_000; height++) {
      const turns = turnsOf(numbers(10_000), 8, height, due);
      for (const one of turns) {
        expect(due(one)).toBe(true);
        had.add(one);
      }
    }
    expect(had.size).toBe(numbers(10_000).filter(due).length);
  });

  it("cost no more than so many questions each, however many wait", () => {
    for (const due of [() => false, (one: number) => one > 99_000]) {
      let asked = 0;
      turnsOf(numbers(100_000), 200, 1, (one) => {
        asked += 1;
        return due(one);
      });
      expect(asked).toBe(200 * JUDGED_PER_TURN);
    }
  });
});

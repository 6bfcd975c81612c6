import { describe, expect, it } from "vitest";
import { compareBooks } from "./book-model.ts";

describe("the book against a naive reference", () => {
  for (const [seed, spread] of [
    [1, 12],
    [2, 400],
    [3, 990],
  ] as const) {
    it(`gives the same trades, queues and accounts over 100,000 operations (seed ${seed})`, () => {
      expect(() => compareBooks(seed, 100_000, spread)).not.toThrow();
    }, 60_000);
  }
});

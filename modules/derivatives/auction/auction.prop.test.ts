import { describe, expect, it } from "vitest";
import { compareAuctions } from "./model.ts";

describe("the clearing of a batch auction", () => {
  it("equals its definition on random books: price, volume, shares, in any sequence", () => {
    // The long form: npm run fuzz -- auction
    for (const seed of [1, 2]) {
      const counts = compareAuctions(seed, 2000);
      for (const count of Object.values(counts)) expect(count).toBeGreaterThan(100);
    }
  });
});

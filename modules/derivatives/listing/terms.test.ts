import { describe, expect, it } from "vitest";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { INTERRUPTION_MAX_MS, OPENING_MAX_MS } from "../limits.ts";
import { validateTerms } from "./terms.ts";

describe("terms of auctions", () => {
  const validate = (change: object) => (): void =>
    validateTerms({ ...defaultTerms(), auction: { ...defaultAuctionTerms(), ...change } });

  it("have an opening and an interruption of at most a day each", () => {
    for (const interruptionMs of [0n, 10_000n, INTERRUPTION_MAX_MS])
      expect(validate({ interruptionMs })).not.toThrow();
    for (const interruptionMs of [INTERRUPTION_MAX_MS + 1n, (1n << 64n) - 1n])
      expect(validate({ interruptionMs })).toThrow("expected an interruption of at most a day");
    expect(validate({ openingMs: OPENING_MAX_MS })).not.toThrow();
    expect(validate({ openingMs: OPENING_MAX_MS + 1n })).toThrow("an opening of at most a day");
  });
});

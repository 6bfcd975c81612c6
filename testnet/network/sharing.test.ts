import { describe, expect, it } from "vitest";
import { shareOf } from "./sharing.ts";

describe("processors shared by validators", () => {
  it("leaves a validator that has three to itself as it would be alone", () => {
    for (const [validators, processors] of [
      [1, 3],
      [4, 12],
    ] as const)
      expect(shareOf(validators, processors)).toEqual({ config: {}, execArgv: [] });
  });

  it("collects young objects on one thread where a validator has two", () => {
    expect(shareOf(1, 2)).toEqual({ config: {}, execArgv: ["--no-parallel-scavenge"] });
  });

  it("gives no threads of their own to validators that have to share one", () => {
    expect(shareOf(4, 2)).toEqual({
      config: { "crypto.workers": 0 },
      execArgv: ["--no-parallel-scavenge"],
    });
  });
});

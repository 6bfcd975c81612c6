import { describe, expect, it } from "vitest";
import { shareOf } from "./sharing.ts";

describe("processors shared by validators", () => {
  it("leaves a validator that has two to itself its threads", () => {
    for (const [validators, processors] of [
      [1, 2],
      [4, 12],
    ] as const)
      expect(shareOf(validators, processors)).toEqual({
        config: {},
        execArgv: ["--parallel-scavenge"],
      });
  });

  it("gives no threads of their own to validators that have to share one", () => {
    expect(shareOf(4, 2)).toEqual({
      config: { "crypto.workers": 0 },
      execArgv: ["--no-parallel-scavenge"],
    });
  });
});

import { describe, expect, it } from "vitest";
import { shareOf } from "./sharing.ts";

describe("processors shared by validators", () => {
  it("leaves a validator that has two to itself as it would be alone", () => {
    for (const [validators, processors] of [
      [1, 2],
      [4, 8],
    ] as const)
      expect(shareOf(validators, processors)).toEqual({ config: {}, execArgv: [] });
  });

  it("gives no threads of their own to validators that have to share", () => {
    const { config, execArgv } = shareOf(4, 2);
    expect(config).toEqual({ "crypto.workers": 0 });
    expect(execArgv).toEqual(["--no-parallel-scavenge"]);
  });
});

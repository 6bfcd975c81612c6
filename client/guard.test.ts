import { RestrictionLevel } from "@keel/proto/gen/keel/guard/v1/types";
import { describe, expect, it } from "vitest";
import { tightenMessage } from "./guard.ts";

describe("a message that tightens", () => {
  it("says what it restricts, until when and why; what is left out restricts nothing", () => {
    const level = RestrictionLevel.RESTRICTION_LEVEL_HALTED;
    const untilMs = 1_700_000_000_000;
    expect(
      tightenMessage("keel1me", { market: "BTC-PERP", level, untilMs, reason: "why" }),
    ).toEqual({
      typeUrl: "/keel.guard.v1.MsgTighten",
      value: {
        sender: "keel1me",
        market: "BTC-PERP",
        level,
        initialRaisePpm: 0n,
        openInterestMaxLots: 0n,
        closeWithdrawals: false,
        untilMs: 1_700_000_000_000n,
        reason: "why",
      },
    });
    const all = tightenMessage("keel1me", { closeWithdrawals: true, untilMs, reason: "why" });
    expect(all.value).toMatchObject({ market: "", closeWithdrawals: true });
    expect(() => tightenMessage("keel1me", { untilMs, reason: "" })).toThrow("reason");
  });
});

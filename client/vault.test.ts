import { describe, expect, it } from "vitest";
import {
  cancelWithdrawalMessage,
  depositToVaultMessage,
  requestWithdrawalMessage,
} from "./vault.ts";

describe("a message to the vault", () => {
  it("says units as quanta, and how many shares are wanted at least", () => {
    const { typeUrl, value } = depositToVaultMessage("keel1me", "uusdc", "1000.5", {
      sharesMin: 7n,
    });
    expect(typeUrl).toBe("/keel.vault.v1.MsgDepositToVault");
    expect(value).toEqual({
      sender: "keel1me",
      denom: "uusdc",
      amount: "1000500000",
      sharesMin: "7",
    });
    expect(depositToVaultMessage("keel1me", "uusdc", 5n).value).toMatchObject({ sharesMin: "" });
  });

  it("gives shares back, or takes the request back", () => {
    expect(requestWithdrawalMessage("keel1me", 10n ** 30n).value).toEqual({
      sender: "keel1me",
      shares: `1${"0".repeat(30)}`,
    });
    expect(cancelWithdrawalMessage("keel1me", 3n).value).toEqual({ sender: "keel1me", id: 3n });
  });

  it("is not made of nothing", () => {
    expect(() => requestWithdrawalMessage("keel1me", 0n)).toThrow("shares: expected a positive");
    expect(() => cancelWithdrawalMessage("keel1me", 0n)).toThrow("id: expected a positive");
    expect(() => depositToVaultMessage("keel1me", "uusdc", 1n, { sharesMin: -1n })).toThrow(
      "sharesMin",
    );
  });
});

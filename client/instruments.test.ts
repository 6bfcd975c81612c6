import { Market } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import { type Contract, contractOf, listMarketMessage } from "./instruments.ts";

const end = { expiryMs: 1_800_000_000_000, windowMs: 1_800_000, closeOnlyMs: 60_000 };
const option = { ...end, right: "put" as const, strike: "60000", volatilityFeedId: 2 };
const contracts: Exclude<Contract, { kind: "linear-perpetual" }>[] = [
  { kind: "dated-future", ...end },
  { kind: "european-option", ...option },
  { kind: "asian-option", ...option, right: "call" },
  { kind: "digital-option", ...option, payout: "1" },
  { kind: "european-option", ...option, volatilityFeedId: 0, volatilitySurfaceId: 3 },
];

describe("a contract", () => {
  it.each(contracts)("of kind $kind comes back from its wire form", (contract) => {
    const request = { feedId: 1, tickSize: "0.5", lotSize: "0.01", contract };
    const { market, sender } = listMarketMessage("keel1me", request);
    expect(sender).toBe("keel1me");
    expect(market).toMatchObject({ feedId: 1, tickSize: "0.5", lotSize: "0.01" });
    expect(contractOf(market!)).toEqual(contract);
  });

  it("is told apart from a perpetual and from what is not known", () => {
    const perpetual = Market.fromPartial({ linearPerpetual: {} });
    expect(contractOf(perpetual)).toEqual({ kind: "linear-perpetual" });
    expect(contractOf(Market.fromPartial({}))).toBeUndefined();
  });

  it("needs an end", () => {
    const contract = { kind: "dated-future" as const, expiryMs: Number.NaN, windowMs: 1 };
    const request = { feedId: 1, tickSize: "1", lotSize: "1", contract };
    expect(() => listMarketMessage("keel1me", request)).toThrow("expiryMs: expected milliseconds");
  });
});

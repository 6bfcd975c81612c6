import { VaultMarketStatus } from "@keel/proto/gen/keel/vault/v1/types";
import { expect, it } from "vitest";
import { capitalMove } from "./capital.ts";
import { defaultTerms } from "./params.ts";

const terms = { ...defaultTerms(), status: VaultMarketStatus.VAULT_MARKET_STATUS_QUOTING };
const record = { market: 1, terms, contributed: 1_000n };
const room = { idle: 10_000n, free: 0n };

it("capital is put into a market that lacks some, and none into one below zero, whose loss is not the vault's to pay", () => {
  expect(capitalMove({ equity: 400n, lots: 1n, record }, 1_000n, room)).toBe(600n);
  expect(capitalMove({ equity: 0n, lots: 0n, record }, 1_000n, room)).toBe(1_000n);
  expect(capitalMove({ equity: -1n, lots: 1n, record }, 1_000n, room)).toBe(0n);
});

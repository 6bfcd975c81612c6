import { OracleVote, type SurfaceVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { expect, it } from "vitest";
import { decodeExtension } from "../extension.ts";

const WEEK = { expiryMs: 1_790_000_000_000n, theta: 7n * 10n ** 15n, basisPpm: 0 };
const MONTH = { ...WEEK, expiryMs: 1_792_000_000_000n };
const VOTE: SurfaceVote = {
  surfaceId: 1,
  rhoPpm: -300_000,
  etaPpm: 1_000_000,
  gammaPpm: 400_000,
  expiries: [WEEK, MONTH],
};

/** Null: a vote. */
function fault(change: Partial<SurfaceVote>, ...more: SurfaceVote[]): string | null {
  const vote = {
    feeds: [],
    transactions: new Uint8Array(0),
    surfaces: [{ ...VOTE, ...change }, ...more],
  };
  const decoded = decodeExtension(OracleVote.encode(vote).finish());
  return "fault" in decoded ? decoded.fault : null;
}

it("takes votes within the domain, arbitrage or not", () => {
  expect(fault({})).toBeNull();
  expect(fault({ expiries: [] })).toBeNull();
  expect(fault({ surfaceId: 99 })).toBeNull();
  expect(fault({ rhoPpm: -999_999, etaPpm: 2_000_000, gammaPpm: 1 })).toBeNull();
  expect(fault({ expiries: [WEEK, { ...MONTH, theta: 1n }] })).toBeNull();
});

it("refuses malformed ones with a reason", () => {
  const many = Array.from({ length: 17 }, (_, i) => ({ ...WEEK, expiryMs: BigInt(i + 1) }));
  expect(fault({}, VOTE)).toMatch(/ascending surface ids/);
  expect(fault({ surfaceId: 0 })).toMatch(/ascending surface ids/);
  expect(fault({ rhoPpm: 1_000_000 })).toMatch(/rho/);
  expect(fault({ rhoPpm: -1_000_000 })).toMatch(/rho/);
  expect(fault({ etaPpm: 0 })).toMatch(/eta/);
  expect(fault({ etaPpm: 2_000_001 })).toMatch(/eta/);
  expect(fault({ gammaPpm: 0 })).toMatch(/gamma/);
  expect(fault({ gammaPpm: 500_001 })).toMatch(/gamma/);
  expect(fault({ expiries: [MONTH, WEEK] })).toMatch(/ascending expiries/);
  expect(fault({ expiries: [WEEK, WEEK] })).toMatch(/ascending expiries/);
  expect(fault({ expiries: many })).toMatch(/at most 16/);
  expect(fault({ expiries: [{ ...WEEK, theta: 0n }] })).toMatch(/theta/);
  expect(fault({ expiries: [{ ...WEEK, theta: 1n << 63n }] })).toMatch(/theta/);
  expect(fault({ expiries: [{ ...WEEK, basisPpm: 1_000_001 }] })).toMatch(/basis/);
  expect(fault({ expiries: [{ ...WEEK, expiryMs: 1n << 60n }] })).toMatch(/milliseconds/);
  // Groups inside an expiry.
  const groups = Uint8Array.of(0x22, 4, 0x2a, 2, 0x0b, 0x0c);
  expect(decodeExtension(groups)).toEqual({ fault: "not an OracleVote" });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Account, Position } from "./account-codec.ts";
import { accountValue, ledgerValue, NO_ELSEWHERE, totalsValue } from "./account-codec.ts";

/** Around the powers of two and ten where a length changes, and past 2^53, where numbers end. */
const edges = [
  0n,
  1n,
  ...[7, 14, 21, 28, 35, 42, 49, 52, 53, 56].map((bits) => 1n << BigInt(bits)),
];
const near = fc
  .tuple(fc.constantFrom(...edges), fc.integer({ min: -2, max: 2 }))
  .map(([edge, off]) => edge + BigInt(off));
const signed = fc.oneof(
  near,
  near.map((value) => -value),
  fc.bigInt(-(1n << 62n), 1n << 62n),
);
const natural = signed.map((value) => (value < 0n ? -value : value));
const money = fc.oneof(
  signed,
  fc
    .tuple(fc.nat(18), fc.integer({ min: -1, max: 0 }))
    .map(([n, off]) => 10n ** BigInt(n) + BigInt(off)),
  fc.bigInt(-(10n ** 30n), 10n ** 30n),
);
const market = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 0xffff_ffff }));

const position: fc.Arbitrary<Position> = fc.record({
  market,
  lots: signed,
  quote: money,
  fundingIndex: signed,
  openBuyLots: natural,
  openSellLots: natural,
});

const account: fc.Arbitrary<Account> = fc.record({
  collateral: money,
  feeReserve: natural,
  positions: fc.array(position, { maxLength: 4 }),
  portfolio: fc.boolean(),
  isolated: fc.boolean(),
  assets: fc.array(
    fc.record({
      denom: fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 128 }),
      units: natural,
    }),
    {
      maxLength: 3,
    },
  ),
  elsewhere: fc.constant(NO_ELSEWHERE),
});

describe("lengths that gas counts", () => {
  it("are those of the encoded accounts", () => {
    fc.assert(
      fc.property(account, (value) => {
        expect(accountValue.size?.(value)).toBe(accountValue.encode(value).length);
        expect(accountValue.decode(accountValue.encode(value))).toEqual(value);
      }),
      { numRuns: 400 },
    );
  });

  it("are those of encoded ledgers and totals", () => {
    const ledger = fc.record({
      market,
      openQuote: money,
      fundingWeight: money,
      realised: money,
      longLots: natural,
      shortLots: natural,
      positions: natural,
    });
    const totals = fc.record({
      collateral: money,
      feesHeld: money,
      pendingShortfall: money,
      netDeposits: money,
      accounts: natural,
    });
    fc.assert(
      fc.property(ledger, totals, (one, other) => {
        expect(ledgerValue.size?.(one)).toBe(ledgerValue.encode(one).length);
        expect(totalsValue.size?.(other)).toBe(totalsValue.encode(other).length);
      }),
    );
  });
});

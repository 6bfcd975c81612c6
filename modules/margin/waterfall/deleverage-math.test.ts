import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { absolute, minimum } from "../../kit/math/mul-div.ts";
import type { Counterparty } from "./deleverage-math.ts";
import { allocateDeleveraging, lotsAbove } from "./deleverage-math.ts";

function party(id: string, lots: bigint, equity: bigint, cap = lots): Counterparty<string> {
  return { id, lots, equity, cap };
}

const partsOf = (parties: readonly Counterparty<string>[], needed: bigint) =>
  allocateDeleveraging(parties, needed).parts;

const closedOf = (
  parties: readonly Counterparty<string>[],
  needed: bigint,
): ReadonlyMap<string, bigint> =>
  new Map(partsOf(parties, needed).map(({ id, lots }) => [id, lots]));

describe("allocateDeleveraging", () => {
  it("cuts only the highest leverages, to one level", () => {
    // Leverages 10, 5 and 1: taking 60 brings the first down to 4 and leaves the others; taking 75 brings two to 2.5 each.
    const parties = [party("a", 100n, 10n), party("b", 50n, 10n), party("c", 10n, 10n)];
    expect(partsOf(parties, 50n)).toEqual([{ id: "a", lots: 50n }]);
    expect(partsOf(parties, 70n)).toEqual([
      { id: "a", lots: 60n },
      { id: "b", lots: 10n },
    ]);
  });

  it("solves the published case: 5,000 of notional from 5,000/10,000, 3,000/600 and 2,000/1,000", () => {
    const parties = [
      party("a", 500_000n, 1_000_000n),
      party("b", 300_000n, 60_000n),
      party("c", 200_000n, 100_000n),
    ];
    const { parts, level } = allocateDeleveraging(parties, 500_000n);
    // Level 5,000 / 11,600.
    expect(level).toEqual({ lots: 500_000n, equity: 1_160_000n });
    expect(parts.reduce((sum, { lots }) => sum + lots, 0n)).toBe(500_000n);
    for (const [id, expected] of [
      ["a", 68_966n],
      ["b", 274_138n],
      ["c", 156_897n],
    ] as const) {
      const lots = parts.find((part) => part.id === id)?.lots ?? 0n;
      expect(absolute(lots - expected) <= 1n).toBe(true);
    }
  });

  it("takes everything there is when that is not enough", () => {
    expect(partsOf([party("a", 3n, 1n), party("b", 4n, 1n)], 10n)).toEqual([
      { id: "b", lots: 4n },
      { id: "a", lots: 3n },
    ]);
  });

  it("takes accounts without equity first", () => {
    expect(partsOf([party("a", 100n, 1n), party("z", 5n, 0n)], 4n)).toEqual([
      { id: "z", lots: 4n },
    ]);
    expect(closedOf([party("a", 100n, 1n), party("z", 5n, 0n)], 7n)).toEqual(
      new Map([
        ["z", 5n],
        ["a", 2n],
      ]),
    );
  });

  it("breaks ties by account", () => {
    expect(partsOf([party("b", 4n, 2n), party("a", 4n, 2n)], 1n)).toEqual([{ id: "a", lots: 1n }]);
  });

  it("goes on to the next when a cap protects the most leveraged", () => {
    const parties = [party("a", 100n, 10n, 50n), party("b", 50n, 10n, 25n), party("c", 10n, 10n)];
    // Without caps 60 and 10; with them half of the first, and the second down to a level of its own.
    expect(closedOf(parties, 70n)).toEqual(
      new Map([
        ["a", 50n],
        ["b", 20n],
      ]),
    );
    expect(closedOf(parties, 80n).get("c")).toBe(5n);
  });
});

const parties = fc
  .uniqueArray(
    fc.record({
      id: fc.string({ minLength: 1, maxLength: 4 }),
      lots: fc.bigInt({ min: 1n, max: 1_000n }),
      equity: fc.bigInt({ min: 0n, max: 1_000n }),
      share: fc.nat(3),
    }),
    { selector: (one) => one.id, minLength: 1, maxLength: 20 },
  )
  .map((all) =>
    all.map(({ id, lots, equity, share }) =>
      party(id, lots, equity, lots - (lots * BigInt(share)) / 4n),
    ),
  );
const needed = fc.bigInt({ min: 1n, max: 20_000n });

describe("deleveraging, whatever the accounts", () => {
  it("closes exactly what is needed, never more than allowed, and leaves nobody above the level but by less than a lot", () => {
    fc.assert(
      fc.property(parties, needed, (all, lots) => {
        const allowed = all.reduce((sum, { cap }) => sum + cap, 0n);
        const { parts, level } = allocateDeleveraging(all, lots);
        expect(parts.reduce((sum, part) => sum + part.lots, 0n)).toBe(minimum(lots, allowed));
        const closed = new Map(parts.map((part) => [part.id, part.lots]));
        for (const one of all) {
          const cut = closed.get(one.id) ?? 0n;
          expect(cut >= 0n && cut <= one.cap).toBe(true);
          if (level === null || cut === one.cap) continue;
          expect((one.lots - cut - 1n) * level.equity < level.lots * one.equity).toBe(true);
          // Nor is anyone cut below it by more than the lot that rounding left.
          if (cut > 1n)
            expect((one.lots - cut + 1n) * level.equity >= level.lots * one.equity).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("takes no less of an account that is split in two, evenly or not", () => {
    const shares = fc.record({ lots: fc.nat(100), equity: fc.nat(100) });
    fc.assert(
      fc.property(parties, needed, shares, (all, lots, share) => {
        const whole = all[0] as Counterparty<string>;
        const part = (amount: bigint, percent: number): bigint => (amount * BigInt(percent)) / 100n;
        const one = party(whole.id, part(whole.lots, share.lots), part(whole.equity, share.equity));
        const other = party("~other", whole.lots - one.lots, whole.equity - one.equity);
        const uncapped = all.map((each) => party(each.id, each.lots, each.equity));
        const split = [one, other].filter((each) => each.lots > 0n);
        const before = closedOf(uncapped, lots).get(whole.id) ?? 0n;
        const after = closedOf([...split, ...uncapped.slice(1)], lots);
        const total = (after.get(whole.id) ?? 0n) + (after.get("~other") ?? 0n);
        // A lot of rounding for each part.
        expect(total + 2n >= before).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("does not depend on the order in which accounts are found", () => {
    fc.assert(
      fc.property(parties, needed, (all, lots) => {
        expect(partsOf([...all].reverse(), lots)).toEqual(partsOf(all, lots));
      }),
      { numRuns: 100 },
    );
  });

  it("reaches an account when as much is closed as stands above it", () => {
    fc.assert(
      fc.property(parties, (all) => {
        const [mine] = all as [Counterparty<string>];
        if (mine.equity === 0n) return;
        const uncapped = all.map((each) => party(each.id, each.lots, each.equity));
        const others = uncapped.slice(1).filter(({ equity }) => equity > 0n);
        const above = lotsAbove(others, mine);
        const ranked = [...others, party(mine.id, mine.lots, mine.equity)];
        if (above > 0n) expect(closedOf(ranked, above).get(mine.id) ?? 0n).toBe(0n);
        const lower = { lots: mine.lots - 1n, equity: mine.equity };
        const more = lotsAbove(others, lower) + BigInt(others.length) + 2n;
        const total = ranked.reduce((sum, { lots }) => sum + lots, 0n);
        if (more < total) expect((closedOf(ranked, more).get(mine.id) ?? 0n) > 0n).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

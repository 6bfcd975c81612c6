/** What every requirement must be: no larger for less risk, no smaller for the same in several accounts, larger for more of everything. */
import type { PortfolioModel } from "@keel/proto/gen/keel/margin/v1/portfolio";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WAD } from "../../kit/math/fixed-point.ts";
import { portfolioRequirement } from "./requirement.ts";
import { type RiskArray, riskArray, underlyingRisk } from "./risk-array.ts";
import { future, option, perpetual } from "./testing/instruments.ts";
import { models } from "./testing/models.ts";

/** Large enough for concentration to be charged on some of them. */
const lots = fc.bigInt({ min: -3_000_000n, max: 3_000_000n });
const NAMES = ["BTC-USD", "ETH-USD", "DOGE"];
const free = { initial: 0n, maintenance: 0n };

/** Per underlying a perpetual, a future, two calls and two puts. */
function universe(model: PortfolioModel): readonly RiskArray[] {
  return [60_000n, 3_000n, 10n].flatMap((price, i) => {
    const risk = underlyingRisk(model, {
      name: NAMES[i] as string,
      price: price * WAD,
      volatility: (BigInt(5 + 2 * i) * WAD) / 10n,
      oracleWidthPpm: 3_000n,
    });
    if (risk === null) throw new Error("no rule");
    const of = (right: "call" | "put", strike: bigint, days: bigint) =>
      option({ right, forward: price, strike, days, volatilityPpm: 700_000n });
    return [
      perpetual(price, 20n),
      future(price, 30n),
      of("call", (price * 11n) / 10n, 30n),
      of("put", (price * 9n) / 10n, 30n),
      of("call", price, 7n),
      of("put", price, 7n),
    ].map((instrument) => {
      const array = riskArray(risk, instrument);
      if (array === null) throw new Error("too large");
      return array;
    });
  });
}

type Book = readonly bigint[];

function sizes(arrays: readonly RiskArray[], book: Book): Map<string, bigint> {
  const out = new Map<string, bigint>();
  arrays.forEach(({ underlying, delta }, i) => {
    const size = (book[i] ?? 0n) * BigInt(delta);
    const { name } = underlying.state;
    out.set(name, (out.get(name) ?? 0n) + (size < 0n ? -size : size));
  });
  return out;
}

function required(model: PortfolioModel, arrays: readonly RiskArray[], book: Book, others: Book[]) {
  const elsewhere = others.map((other) => sizes(arrays, other));
  return portfolioRequirement({
    model,
    positions: arrays
      .map((array, i) => ({ array, low: book[i] ?? 0n, high: book[i] ?? 0n }))
      .filter(({ low }) => low !== 0n),
    haircut: free,
    depegPpm: 0n,
    elsewhere: (name) => elsewhere.reduce((sum, one) => sum + (one.get(name) ?? 0n), 0n),
  });
}

const names = Object.keys(models) as (keyof typeof models)[];
const count = 18;
const book = fc
  .array(fc.tuple(fc.integer({ min: 0, max: count - 1 }), lots), { minLength: 1, maxLength: 6 })
  .map((held) => {
    const out = new Array<bigint>(count).fill(0n);
    for (const [i, size] of held) out[i] = size;
    return out;
  });
/** Each charge rounds up once. */
const ROUNDED = 40n;

describe.each(names)("a requirement under %s", (name) => {
  const model = models[name];
  const arrays = universe(model);

  it("is never raised by a hedge in the same instrument", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: count - 1 }),
        lots,
        fc.bigInt({ min: 0n, max: 1_000_000n }),
        (i, size, share) => {
          const one = new Array<bigint>(count).fill(0n);
          const hedged = [...one];
          one[i] = size;
          hedged[i] = size - (size * share) / 1_000_000n;
          const before = required(model, arrays, one, []);
          const after = required(model, arrays, hedged, []);
          expect(after.initial <= before.initial).toBe(true);
          expect(after.maintenance <= before.maintenance).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("grows at least in proportion to everything held", () => {
    fc.assert(
      fc.property(book, fc.bigInt({ min: 2n, max: 9n }), (held, times) => {
        const more = held.map((size) => size * times);
        const before = required(model, arrays, held, []);
        const after = required(model, arrays, more, []);
        expect(after.initial >= times * (before.initial - ROUNDED)).toBe(true);
        expect(after.maintenance >= times * (before.maintenance - ROUNDED)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it("is at least the worst loss counted, and no offset is larger than its cap", () => {
    fc.assert(
      fc.property(book, (held) => {
        const { scan, initial, maintenance } = required(model, arrays, held, []);
        expect(scan.losses.every((loss) => loss <= scan.loss)).toBe(true);
        expect(initial * 1_000_000n >= scan.loss * model.initialFactorPpm).toBe(true);
        expect(initial >= maintenance).toBe(true);
        const sum = scan.underlyings.reduce((total, { loss }) => total + loss, 0n);
        expect(scan.offset * 1_000_000n <= sum * model.offsetCapPpm).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

// A discount that depends on the sign of an expiry's value, under a skew, is the one thing that does not add up so.
describe.each(names.filter((name) => name !== "derive"))("a requirement under %s", (name) => {
  const model = models[name];
  const arrays = universe(model);

  it("is never lowered by splitting an account", () => {
    fc.assert(
      fc.property(book, book, (a, b) => {
        const both = a.map((size, i) => size + (b[i] as bigint));
        const together = required(model, arrays, both, []);
        const one = required(model, arrays, a, [b]);
        const other = required(model, arrays, b, [a]);
        expect(together.initial <= one.initial + other.initial + ROUNDED).toBe(true);
        expect(together.maintenance <= one.maintenance + other.maintenance + ROUNDED).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

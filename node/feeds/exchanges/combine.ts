/** From the quotes of several venues to one price, pure: what is late or far off is left out, and too few leave no price at all. */
import { absolute, maximum } from "@keel/modules/kit/math/mul-div";
import { weightedMedian } from "@keel/modules/oracle/aggregate";

export interface VenueQuote {
  readonly venue: string;
  readonly weight: bigint;
  readonly priceE8: bigint;
  /** Half the distance of bid and ask. */
  readonly halfSpreadE8: bigint;
  readonly ageMs: number;
}

export interface CombineRules {
  readonly ageMaxMs: number;
  /** From the median of all that are not late. */
  readonly deviationMaxPpm: bigint;
  readonly venuesMin: number;
  /** Of the weight of all venues configured for the symbol. */
  readonly weightMinPpm: bigint;
}

export interface Combined {
  /** Null: too few venues, or too little weight. */
  readonly price: { readonly priceE8: bigint; readonly confidenceE8: bigint } | null;
  readonly late: readonly string[];
  readonly outliers: readonly string[];
}

/** `weightTotal` of all venues configured for the symbol, with or without a quote. */
export function combine(
  quotes: readonly VenueQuote[],
  weightTotal: bigint,
  rules: CombineRules,
): Combined {
  const fresh = quotes.filter(({ ageMs }) => ageMs <= rules.ageMaxMs);
  const late = quotes.filter(({ ageMs }) => ageMs > rules.ageMaxMs).map(({ venue }) => venue);
  if (fresh.length === 0) return { price: null, late, outliers: [] };
  const middle = weightedMedian(
    fresh.map(({ priceE8, weight }) => ({ value: priceE8, power: weight })),
  );
  const isNear = ({ priceE8 }: VenueQuote): boolean =>
    absolute(priceE8 - middle) * 1_000_000n <= middle * rules.deviationMaxPpm;
  const near = fresh.filter(isNear);
  const outliers = fresh.filter((quote) => !isNear(quote)).map(({ venue }) => venue);
  const weight = near.reduce((sum, one) => sum + one.weight, 0n);
  if (near.length < rules.venuesMin || weight * 1_000_000n < weightTotal * rules.weightMinPpm) {
    return { price: null, late, outliers };
  }
  const median = (value: (quote: VenueQuote) => bigint): bigint =>
    weightedMedian(near.map((quote) => ({ value: value(quote), power: quote.weight })));
  const priceE8 = median((quote) => quote.priceE8);
  const spread = median((quote) => quote.halfSpreadE8);
  const apart = median((quote) => absolute(quote.priceE8 - priceE8));
  return { price: { priceE8, confidenceE8: maximum(spread, apart) }, late, outliers };
}

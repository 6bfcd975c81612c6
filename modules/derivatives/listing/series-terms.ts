/** What a series must satisfy. Throws ModuleError invalidTerms. */
import type { Series, StrikeRule } from "@keel/proto/gen/keel/derivatives/v1/types";
import { OptionRight } from "@keel/proto/gen/keel/derivatives/v1/types";
import { parseDecimal } from "../../kit/math/decimal.ts";
import { refuse } from "../errors.ts";
import { PRICE_PLACES } from "../instruments/contract.ts";
import { EXPIRIES_MAX, STRIKES_MAX } from "../limits.ts";
import { marketOf } from "./series-markets.ts";
import { validateMarket, validateTerms } from "./terms.ts";

const NAME = /^[A-Z0-9][A-Z0-9.-]{0,31}$/;
const MINUTE_MS = 60_000n;

function requireThat(condition: boolean, message: string): asserts condition {
  if (!condition) throw refuse("invalidTerms", message);
}

/** What an update may change: all that can be told of it without the contract, which stays. */
export function validateSeriesRules(series: Series): void {
  const { expiries, strikes, terms } = series;
  requireThat(
    NAME.test(series.name),
    `expected a name like BTC-DAILY, got "${series.name.slice(0, 40)}"`,
  );
  requireThat(expiries !== undefined, "expected a rule for expiries");
  const { intervalMs, offsetMs, count } = expiries;
  requireThat(
    intervalMs >= MINUTE_MS && intervalMs % MINUTE_MS === 0n && offsetMs % MINUTE_MS === 0n,
    "expected expiries at whole minutes, a minute or more apart",
  );
  requireThat(offsetMs < 1n << 52n && intervalMs < 1n << 42n, "expiries are out of range");
  requireThat(count >= 1 && count <= EXPIRIES_MAX, `expected 1 to ${EXPIRIES_MAX} expiries`);
  if (strikes !== undefined) {
    spacingOf(strikes);
    requireThat(
      strikes.strikesMax <= STRIKES_MAX && strikes.strikesMax > 2 * strikes.eachSide,
      `expected room for ${strikes.eachSide} strikes on each side, and at most ${STRIKES_MAX}`,
    );
  }
  requireThat(terms !== undefined, "expected terms");
  validateTerms(terms);
}

export function validateSeries(series: Series): void {
  const { datedFuture, expiries, strikes } = series;
  const future = datedFuture !== undefined;
  requireThat(future === (strikes === undefined), "options have strikes, futures none");
  validateSeriesRules(series);
  requireThat(expiries !== undefined, "expected a rule for expiries");
  // One of its markets must be a market: at an expiry far from zero, at the first strike.
  const sample = marketOf(
    series,
    expiries.offsetMs + expiries.intervalMs * 1_000_000n,
    strikes === undefined ? 0n : spacingOf(strikes),
    OptionRight.OPTION_RIGHT_CALL,
  );
  validateMarket(sample);
}

function spacingOf({ spacing: text }: StrikeRule): bigint {
  const spacing = parseDecimal(text, PRICE_PLACES);
  requireThat(spacing !== null && spacing > 0n, "expected a positive decimal spacing");
  return spacing;
}

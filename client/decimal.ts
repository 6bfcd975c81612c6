/**
 * Decimal text in and out, exactly: no floats anywhere. People may write "1.50" or "01"; what leaves is canonical ("1.5", "1").
 * Money: a string is whole units of the asset ("1000.5" USDC), a bigint is quanta (1e-6 of it).
 */
import { KeelInputError } from "./errors.ts";
import { DECIMAL_LENGTH_MAX } from "./limits.ts";

/** Places of the settlement asset: one quantum is 1e-6. */
export const MONEY_PLACES = 6;

/** An amount of money: decimal text in whole units, or quanta. */
export type Amount = string | bigint;

const FORM = /^[0-9]+(\.[0-9]+)?$/;

export interface Decimal {
  readonly digits: bigint;
  /** value = digits × 10^−places; no trailing zero among the places. */
  readonly places: number;
}

/** Reads a non-negative decimal. Throws KeelInputError for anything else. */
export function readDecimal(field: string, text: string): Decimal {
  if (typeof text !== "string" || text.length > DECIMAL_LENGTH_MAX || !FORM.test(text))
    throw new KeelInputError(
      "invalid-decimal",
      field,
      `expected a decimal like "0.25", got ${JSON.stringify(text)?.slice(0, 80) ?? "nothing"}`,
    );
  const [whole = "0", fraction = ""] = text.split(".");
  const kept = fraction.replace(/0+$/, "");
  return { digits: BigInt(whole + kept), places: kept.length };
}

/** value × 10^−places as canonical text, sign included. */
export function formatUnits(value: bigint, places: number): string {
  const negative = value < 0n;
  const digits = (negative ? -value : value).toString().padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places);
  const fraction = digits.slice(digits.length - places).replace(/0+$/, "");
  return `${negative ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

/** Canonical text of a decimal. */
export function formatDecimal({ digits, places }: Decimal): string {
  return formatUnits(digits, places);
}

/** A decimal at `places` as an integer; throws when it has more places. */
export function toUnits(field: string, text: string, places: number): bigint {
  const decimal = readDecimal(field, text);
  if (decimal.places > places)
    throw new KeelInputError(
      "invalid-decimal",
      field,
      `expected at most ${places} decimal places, got "${text}"`,
    );
  return decimal.digits * 10n ** BigInt(places - decimal.places);
}

/** Quanta of an amount, positive. */
export function toQuanta(field: string, amount: Amount): bigint {
  const quanta = typeof amount === "bigint" ? amount : toUnits(field, amount, MONEY_PLACES);
  if (quanta <= 0n)
    throw new KeelInputError("invalid-amount", field, `expected more than zero, got ${amount}`);
  return quanta;
}

/** Quanta as text in whole units: 1500000n is "1.5". */
export function formatMoney(quanta: bigint): string {
  return formatUnits(quanta, MONEY_PLACES);
}

/** True when `text` is a positive multiple of `step`. */
export function isMultiple(field: string, text: string, step: string): boolean {
  const value = readDecimal(field, text);
  const unit = readDecimal(`${field} step`, step);
  const places = BigInt(Math.max(value.places, unit.places));
  const scaled = value.digits * 10n ** (places - BigInt(value.places));
  const scaledUnit = unit.digits * 10n ** (places - BigInt(unit.places));
  return scaled > 0n && scaledUnit > 0n && scaled % scaledUnit === 0n;
}

/** The nearest multiple of `step` at or below the value (or above it), as canonical text. */
export function roundToStep(text: string, step: string, toward: "down" | "up"): string {
  const value = readDecimal("value", text);
  const unit = readDecimal("step", step);
  const places = Math.max(value.places, unit.places);
  const scaled = value.digits * 10n ** BigInt(places - value.places);
  const scaledUnit = unit.digits * 10n ** BigInt(places - unit.places);
  if (scaledUnit === 0n) throw new KeelInputError("invalid-decimal", "step", "expected above zero");
  const steps = toward === "down" ? scaled / scaledUnit : (scaled + scaledUnit - 1n) / scaledUnit;
  return formatUnits(steps * scaledUnit, places);
}

/** `count` steps as canonical text, sign kept: 5 ticks of "0.5" are "2.5". */
export function timesStep(count: bigint, step: string): string {
  const unit = readDecimal("step", step);
  return formatUnits(count * unit.digits, unit.places);
}

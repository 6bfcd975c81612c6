/**
 * Canonical decimal strings, the wire form of prices and sizes: "0", "12", "0.5", "-3.25"; no sign on zero, no leading or trailing
 * zeros, no exponent. Inside, a decimal is an integer at a named number of places.
 */
import { assert } from "../errors.ts";

const CANONICAL = /^-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$/;
const LENGTH_MAX = 60;

/** Value × 10^places, or null when the text is not canonical or has more places than that. */
export function parseDecimal(text: string, places: number): bigint | null {
  if (text.length > LENGTH_MAX || !CANONICAL.test(text) || text === "-0") return null;
  const negative = text.startsWith("-");
  const [whole, fraction = ""] = (negative ? text.slice(1) : text).split(".") as [string, string?];
  if (fraction.length > places) return null;
  const magnitude = BigInt(whole + fraction.padEnd(places, "0"));
  return negative ? -magnitude : magnitude;
}

/** The canonical text of value × 10^−places. */
export function formatDecimal(value: bigint, places: number): string {
  assert(
    Number.isInteger(places) && places >= 0,
    `places must be a whole number ≥ 0, got ${places}`,
  );
  const negative = value < 0n;
  const digits = (negative ? -value : value).toString().padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places);
  const fraction = places === 0 ? "" : digits.slice(digits.length - places).replace(/0+$/, "");
  const text = fraction === "" ? whole : `${whole}.${fraction}`;
  return negative ? `-${text}` : text;
}

/**
 * Canonical decimal strings, the wire form of prices and sizes: "0", "12", "0.5", "-3.25"; no sign on zero, no leading or trailing
 * zeros, no exponent. Inside, a decimal is an integer at a named number of places.
 */
import { AssertionError } from "../errors.ts";

const CANONICAL = /^-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$/;
const LENGTH_MAX = 60;
/** Digits that a number holds exactly, with their places. */
const EXACT_DIGITS = 15;
const ZERO = 48;
const NINE = 57;
const POINT = 46;
const MINUS = 45;

/** Value × 10^places, or null when the text is not canonical or has more places than that. */
export function parseDecimal(text: string, places: number): bigint | null {
  if (text.length + places <= EXACT_DIGITS) {
    const value = parseShort(text, places);
    return value === null ? null : BigInt(value);
  }
  if (text.length > LENGTH_MAX || !CANONICAL.test(text) || text === "-0") return null;
  const negative = text.startsWith("-");
  const [whole, fraction = ""] = (negative ? text.slice(1) : text).split(".") as [string, string?];
  if (fraction.length > places) return null;
  const magnitude = BigInt(whole + fraction.padEnd(places, "0"));
  return negative ? -magnitude : magnitude;
}

/** Prices and sizes are short, and every order brings two: read in one pass, as a number. */
function parseShort(text: string, places: number): number | null {
  const start = text.charCodeAt(0) === MINUS ? 1 : 0;
  let point = text.length;
  let value = 0;
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === POINT && point === text.length) point = i;
    else if (code >= ZERO && code <= NINE) value = value * 10 + (code - ZERO);
    else return null;
  }
  const isPadded = text.charCodeAt(start) === ZERO && point > start + 1;
  if (point === start || isPadded) return null;
  let missing = places;
  if (point < text.length) {
    missing -= text.length - point - 1;
    const last = text.charCodeAt(text.length - 1);
    if (missing < 0 || last === ZERO || last === POINT) return null;
  }
  if (start === 1 && value === 0) return null;
  for (; missing > 0; missing--) value *= 10;
  return start === 1 ? -value : value;
}

/** The canonical text of value × 10^−places. */
export function formatDecimal(value: bigint, places: number): string {
  if (!Number.isInteger(places) || places < 0) {
    throw new AssertionError(`places must be a whole number ≥ 0, got ${places}`);
  }
  if (value === 0n) return "0";
  const negative = value < 0n;
  let digits = (negative ? -value : value).toString();
  if (digits.length <= places) digits = digits.padStart(places + 1, "0");
  const point = digits.length - places;
  let end = digits.length;
  while (end > point && digits.charCodeAt(end - 1) === ZERO) end -= 1;
  const whole = digits.slice(0, point);
  const text = end === point ? whole : `${whole}.${digits.slice(point, end)}`;
  return negative ? `-${text}` : text;
}

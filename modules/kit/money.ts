/** Money: integers in quanta of 1e-6 of the settlement asset, as text canonical decimal. */
import type { ModuleError } from "./errors.ts";

/** |money| < 2^127 keeps every amount within what a signed 128-bit integer of another implementation can hold. */
export const MONEY_LIMIT: bigint = 1n << 127n;

/** A sign and 39 digits. */
const TEXT_MAX = 40;
const INTEGER = /^(0|-?[1-9][0-9]*)$/;

/** Null unless canonical and |amount| < 2^127. */
export function parseMoney(text: string): bigint | null {
  if (text.length > TEXT_MAX || !INTEGER.test(text)) return null;
  const amount = BigInt(text);
  return amount < MONEY_LIMIT && amount > -MONEY_LIMIT ? amount : null;
}

/** Null unless a canonical positive integer below 2^127. */
export function parsePositiveMoney(text: string): bigint | null {
  const amount = parseMoney(text);
  return amount !== null && amount > 0n ? amount : null;
}

/** The same for a message's amount; throws what the module refuses with. */
export function positiveMoney(
  text: string,
  refuse: (code: "invalidAmount", message: string) => ModuleError,
): bigint {
  const amount = parsePositiveMoney(text);
  if (amount === null) {
    throw refuse(
      "invalidAmount",
      `expected a positive integer below 2^127, got "${text.slice(0, 50)}"`,
    );
  }
  return amount;
}

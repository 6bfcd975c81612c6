/** Money in text: canonical decimal integers in quanta. */
import { MONEY_LIMIT, MONEY_TEXT_MAX } from "./limits.ts";

const INTEGER = /^(0|-?[1-9][0-9]*)$/;

/** Null unless canonical and |amount| < 2^127. */
export function parseMoney(text: string): bigint | null {
  if (text.length > MONEY_TEXT_MAX || !INTEGER.test(text)) return null;
  const amount = BigInt(text);
  return amount < MONEY_LIMIT && amount > -MONEY_LIMIT ? amount : null;
}

/** Null unless a canonical positive integer below 2^127. */
export function parsePositiveMoney(text: string): bigint | null {
  const amount = parseMoney(text);
  return amount !== null && amount > 0n ? amount : null;
}

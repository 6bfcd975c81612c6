/** Coins on the wire: ascending unique denoms, positive decimal amounts. */
import { sdkError } from "../kit/sdk-errors.ts";

export interface WireCoin {
  readonly denom: string;
  readonly amount: string;
}

export interface Amount {
  readonly denom: string;
  readonly amount: bigint;
}

/** The SDK's bound on math.Int. */
const AMOUNT_LIMIT = 1n << 256n;
const DENOM = /^[a-zA-Z][a-zA-Z0-9/:._-]{2,127}$/;
const DIGITS = /^(0|[1-9][0-9]{0,77})$/;

export function isDenom(text: string): boolean {
  return DENOM.test(text);
}

/** null unless valid denom, canonical amount below 2^256. */
function parseCoin(coin: WireCoin): Amount | null {
  if (!isDenom(coin.denom) || !DIGITS.test(coin.amount)) return null;
  const amount = BigInt(coin.amount);
  return amount < AMOUNT_LIMIT ? { denom: coin.denom, amount } : null;
}

/** Valid denoms in strictly ascending order, positive amounts. Throws sdk 10. */
export function parseCoins(coins: readonly WireCoin[]): Amount[] {
  const out: Amount[] = [];
  for (const coin of coins) {
    const parsed = parseCoin(coin);
    const last = out.at(-1);
    if (
      parsed === null ||
      parsed.amount === 0n ||
      (last !== undefined && parsed.denom <= last.denom)
    ) {
      throw sdkError("invalidCoins", formatCoins(coins));
    }
    out.push(parsed);
  }
  return out;
}

/** "5stake,7uatom" */
export function formatCoins(
  coins: readonly { readonly denom: string; readonly amount: string | bigint }[],
): string {
  return coins.map((coin) => `${coin.amount}${coin.denom}`).join(",");
}

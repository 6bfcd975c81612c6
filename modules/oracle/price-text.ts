/** A mantissa with its exponent as a canonical decimal string. */
import { formatDecimal } from "../kit/math/decimal.ts";

export function priceText(mantissa: bigint, exponent: number): string {
  if (exponent >= 0) return (mantissa * 10n ** BigInt(exponent)).toString();
  return formatDecimal(mantissa, -exponent);
}

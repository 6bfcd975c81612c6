/** A price as people and exchanges write it. */

const PRICE = /^(0|[1-9][0-9]{0,11})(\.[0-9]{1,18})?$/;

/** In units of 1e-8, further digits cut; null: not a plain decimal. */
export function priceE8(text: string): bigint | null {
  if (!PRICE.test(text)) return null;
  const [whole, fraction = ""] = text.split(".") as [string, string?];
  return BigInt(whole + fraction.slice(0, 8).padEnd(8, "0"));
}

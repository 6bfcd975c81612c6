/** Names of contracts that the chain lists by rule: "BTC-USD-PERP", "BTC-2612250800", "BTC-2612250800-60000-C". UTC, to the minute. */
import { formatDecimal } from "../../kit/math/decimal.ts";
import { divFloor } from "../../kit/math/mul-div.ts";
import { type Contract, type Kind, PRICE_PLACES } from "./contract.ts";

const MINUTE_MS = 60_000n;
const DAY_MINUTES = 1440n;

/** Days since 1970-01-01 as year, month and day of the Gregorian calendar. */
export function civilDate(days: bigint): {
  readonly year: bigint;
  readonly month: bigint;
  readonly day: bigint;
} {
  // Counted in eras of 400 years that begin on the first of March, where a leap day is the last of its year.
  const shifted = days + 719_468n;
  const era = divFloor(shifted, 146_097n);
  const ofEra = shifted - era * 146_097n;
  const leaps = divFloor(ofEra, 1460n) - divFloor(ofEra, 36_524n) + divFloor(ofEra, 146_096n);
  const yearOfEra = divFloor(ofEra - leaps, 365n);
  const ofYear = ofEra - (365n * yearOfEra + divFloor(yearOfEra, 4n) - divFloor(yearOfEra, 100n));
  const fromMarch = divFloor(5n * ofYear + 2n, 153n);
  const day = ofYear - divFloor(153n * fromMarch + 2n, 5n) + 1n;
  const month = fromMarch < 10n ? fromMarch + 3n : fromMarch - 9n;
  return { year: yearOfEra + era * 400n + (month <= 2n ? 1n : 0n), month, day };
}

/** YYMMDDhhmm. */
export function expiryText(expiryMs: number): string {
  const minutes = divFloor(BigInt(expiryMs), MINUTE_MS);
  const days = divFloor(minutes, DAY_MINUTES);
  const { year, month, day } = civilDate(days);
  const ofDay = minutes - days * DAY_MINUTES;
  const hour = divFloor(ofDay, 60n);
  return [year % 100n, month, day, hour, ofDay - hour * 60n]
    .map((part) => part.toString().padStart(2, "0"))
    .join("");
}

const LETTERS: Readonly<Partial<Record<Kind, string>>> = {
  digitalOption: "D",
  asianOption: "A",
};

export function symbolOf(baseAsset: string, quoteAsset: string, contract: Contract): string {
  const { kind, maturity, option } = contract;
  if (maturity === null) return `${baseAsset}-${quoteAsset}-PERP`;
  const dated = `${baseAsset}-${expiryText(maturity.expiryMs)}`;
  if (option === null) return dated;
  const letter = `${LETTERS[kind] ?? ""}${option.right === "call" ? "C" : "P"}`;
  return `${dated}-${formatDecimal(option.strike, PRICE_PLACES)}-${letter}`;
}

/** Whom of the other side a deleveraging may close, and how much of each. */
import type { AccountId } from "../../kit/account-id.ts";
import { divFloor, minimum, mulDivUp, PPM } from "../../kit/math/mul-div.ts";
import { DELEVERAGE_COUNTERPARTIES_MAX } from "../limits.ts";
import type { Counterparty } from "./deleverage-math.ts";
import type { Exposed } from "./side-books.ts";

/** Lots that may be closed without taking the account below zero. */
export function capOf(lots: bigint, equity: bigint, lossPerLot: bigint): bigint {
  return lossPerLot === 0n ? lots : minimum(lots, divFloor(equity, lossPerLot));
}

/** The most leveraged of those who can bear to close anything, at most the limit. */
export function partiesOf(
  ranked: Iterable<Exposed>,
  lossPerLot: bigint,
): Counterparty<AccountId>[] {
  const parties: Counterparty<AccountId>[] = [];
  for (const { equity, id, lots } of ranked) {
    const cap = capOf(lots, equity, lossPerLot);
    if (cap > 0n) parties.push({ id, lots, equity, cap });
    if (parties.length === DELEVERAGE_COUNTERPARTIES_MAX) break;
  }
  return parties;
}

/** A share of each position, 0: all of it, while that is enough. */
export function spared<Id extends string>(
  parties: readonly Counterparty<Id>[],
  needed: bigint,
  sharePpm: number,
): Counterparty<Id>[] {
  const capped = parties.map((party) => {
    const share = mulDivUp(party.lots, BigInt(sharePpm), PPM);
    return { ...party, cap: minimum(party.cap, share) };
  });
  const enough = sharePpm > 0 && capped.reduce((sum, { cap }) => sum + cap, 0n) >= needed;
  return enough ? capped : [...parties];
}

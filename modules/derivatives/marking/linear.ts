/** The mark of what is worth its price: perpetuals and dated futures. */
import { clamp, maximum } from "../../kit/math/mul-div.ts";
import { TICKS_MAX } from "../limits.ts";
import type { PriceStage } from "../ports.ts";
import type { Mark } from "./mark.ts";

const TICKS_MOST = BigInt(TICKS_MAX);

export function isOrderable(ticks: bigint): boolean {
  return ticks > 0n && ticks <= TICKS_MOST;
}

/**
 * At a price in whole ticks. One that orders cannot name gives the nearest that they can and is not fresh, so nothing is done at it; positions are worth what the
 * price itself says, since whoever holds some is judged by it all the same.
 */
export function linearMark(
  ticks: bigint,
  quantaPerTickLot: bigint,
  { fresh, stage }: { readonly fresh: boolean; readonly stage?: PriceStage | undefined },
): Mark {
  const quantaPerLot = ticks * quantaPerTickLot;
  if (isOrderable(ticks)) {
    const staged = stage === undefined ? {} : { stage };
    return { ticks, fresh, ...staged, quantaPerLot, notionalPerLot: quantaPerLot, losses: null };
  }
  return {
    ticks: clamp(ticks, 1n, TICKS_MOST),
    fresh: false,
    quantaPerLot,
    // Divided by: a lot that is worth nothing has a size.
    notionalPerLot: maximum(quantaPerLot, 1n),
    losses: null,
  };
}

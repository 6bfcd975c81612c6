/** The mark price: the oracle's index price in ticks, and the bands around it. */
import type { ReadContext } from "../kit/context.ts";
import { divCeil, divFloor, divHalfEven, PPM } from "../kit/math/mul-div.ts";
import type { Instrument } from "./instruments.ts";
import { TICKS_MAX } from "./limits.ts";
import type { OraclePort, OraclePrice, Side } from "./ports.ts";

export interface Mark {
  readonly ticks: bigint;
  /** False when the oracle price is stale or below quorum. */
  readonly fresh: boolean;
}

/** undefined before the first price, or when the price cannot be said in this market's ticks. */
export function markOf(
  ctx: ReadContext,
  oracle: OraclePort,
  instrument: Instrument,
): Mark | undefined {
  const price = oracle.price(ctx, instrument.market.feedId);
  if (price === undefined) return undefined;
  const ticks = ticksOf(price, instrument);
  if (ticks <= 0n || ticks > BigInt(TICKS_MAX)) return undefined;
  return { ticks, fresh: price.fresh };
}

// The same price is asked for by every order and health check of a block.
const last = new WeakMap<Instrument, { mantissa: bigint; exponent: number; ticks: bigint }>();

function ticksOf({ mantissa, exponent }: OraclePrice, instrument: Instrument): bigint {
  const known = last.get(instrument);
  if (known !== undefined && known.mantissa === mantissa && known.exponent === exponent) {
    return known.ticks;
  }
  const ticks = toTicks(mantissa, exponent, instrument);
  last.set(instrument, { mantissa, exponent, ticks });
  return ticks;
}

/** mantissa × 10^exponent in ticks, half to even. */
function toTicks(mantissa: bigint, exponent: number, { tick }: Instrument): bigint {
  const power = exponent + tick.places;
  if (power >= 0) return divHalfEven(mantissa * 10n ** BigInt(power), tick.units);
  return divHalfEven(mantissa, tick.units * 10n ** BigInt(-power));
}

/** The worst price at which an order of `side` may execute: inside mark × (1 ± band), never outside a valid price. */
export function bandLimit(mark: bigint, side: Side, bandPpm: bigint): number {
  if (side === "buy") {
    const limit = divFloor(mark * (PPM + bandPpm), PPM);
    return limit > BigInt(TICKS_MAX) ? TICKS_MAX : Number(limit);
  }
  const limit = divCeil(mark * (PPM - bandPpm), PPM);
  return limit < 1n ? 1 : Number(limit);
}

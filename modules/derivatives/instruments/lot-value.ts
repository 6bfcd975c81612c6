/** From a price per unit of size, 1e-18 of the quote, to quanta per lot and ticks. */
import { divHalfEven } from "../../kit/math/mul-div.ts";
import { powerOfTen } from "../../kit/math/powers.ts";
import type { Instrument } from "../instruments.ts";
import { MONEY_PLACES, PRICE_PLACES } from "./contract.ts";

/** Quanta per lot of a price, as numerator over denominator. */
export function lotScale({ lot }: Instrument): readonly [bigint, bigint] {
  return [lot.units, powerOfTen(PRICE_PLACES - MONEY_PLACES + lot.places)];
}

/** Quanta of one lot at a price per unit, half to even. */
export function quantaPerLotAt(instrument: Instrument, price: bigint): bigint {
  const [units, scale] = lotScale(instrument);
  return divHalfEven(price * units, scale);
}

/** A price per unit in whole ticks, half to even. */
export function ticksAt({ tick }: Instrument, price: bigint): bigint {
  return divHalfEven(price, tick.units * powerOfTen(PRICE_PLACES - tick.places));
}

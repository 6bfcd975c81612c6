/**
 * From a contract's value per unit to the mark of its market: whole ticks while it trades, so that every trade at the mark is exact; whole
 * quanta per lot once the settlement price is known.
 */
import type { ReadContext } from "../../kit/context.ts";
import { divHalfEven, maximum } from "../../kit/math/mul-div.ts";
import type { Instrument } from "../instruments.ts";
import { linearMark } from "../marking/linear.ts";
import type { Mark, PerLotLosses } from "../marking/mark.ts";
import { endOf } from "../settlement/ended.ts";
import { type Outlook, outlookOf } from "../settlement/prices.ts";
import type { Venue } from "../venue.ts";
import { kinds } from "./kinds.ts";
import { quantaPerLotAt, ticksAt } from "./lot-value.ts";
import { optionMark, payoffMark } from "./option-marks.ts";

const NOTHING_AT_RISK: PerLotLosses = {
  long: { initial: 0n, maintenance: 0n },
  short: { initial: 0n, maintenance: 0n },
};

/** Quanta of one lot at its settlement price, or at the mark it was ended at; undefined before that is known. Whatever is settled is settled at this. */
export function settlementValueOf(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
): bigint | undefined {
  const end = endOf(ctx, venue, instrument);
  if (end !== undefined) return BigInt(end.valuePerLot);
  const key = instrument.settlementKey;
  const price = key === null ? "" : (venue.state.settlements.get(ctx, key)?.price ?? "");
  return price === "" ? undefined : valueAtSettlement(instrument, BigInt(price));
}

function valueAtSettlement(instrument: Instrument, price: bigint): bigint {
  const { contract } = instrument;
  return quantaPerLotAt(instrument, kinds[contract.kind].payoff(contract, price));
}

/** Mark of a dated contract; undefined before there is a price to make it of. */
export function datedMark(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
): Mark | undefined {
  return markAt(ctx, venue, instrument, (outlook) => optionMark(ctx, venue, instrument, outlook));
}

/** The same with no model in it: an option is worth what it would pay. */
export function plainDatedMark(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
): Mark | undefined {
  const mark = markAt(ctx, venue, instrument, (outlook) => payoffMark(instrument, outlook));
  return mark === undefined ? undefined : { ...mark, fresh: false };
}

function markAt(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
  ofOption: (outlook: Outlook) => Mark | undefined,
): Mark | undefined {
  const key = instrument.settlementKey;
  const outlook = key === null ? undefined : outlookOf(ctx, venue, key);
  if (outlook === undefined) return undefined;
  if (outlook.final) return settledMark(instrument, outlook);
  return instrument.contract.option === null ? futureMark(instrument, outlook) : ofOption(outlook);
}

/** Of a market that clearing has ended; undefined of all others. */
export function endedMark(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
): Mark | undefined {
  const end = endOf(ctx, venue, instrument);
  if (end === undefined) return undefined;
  return {
    ticks: end.markTicks,
    fresh: true,
    quantaPerLot: BigInt(end.valuePerLot),
    notionalPerLot: BigInt(end.notionalPerLot),
    losses: NOTHING_AT_RISK,
  };
}

function settledMark(instrument: Instrument, { forward }: Outlook): Mark {
  const quantaPerLot = valueAtSettlement(instrument, forward);
  return {
    ticks: divHalfEven(quantaPerLot, instrument.quantaPerTickLot),
    fresh: true,
    quantaPerLot,
    notionalPerLot: maximum(quantaPerLotAt(instrument, forward), 1n),
    losses: NOTHING_AT_RISK,
  };
}

// Asked for by every order and health check of a block; it depends on nothing but what it is remembered with.
const last = new WeakMap<Instrument, { outlook: Outlook; mark: Mark }>();

function futureMark(instrument: Instrument, outlook: Outlook): Mark {
  const known = last.get(instrument);
  if (
    known !== undefined &&
    known.outlook.forward === outlook.forward &&
    known.outlook.fresh === outlook.fresh
  ) {
    return known.mark;
  }
  const { contract } = instrument;
  const inputs = { ...outlook, volatility: 0n };
  const ticks = ticksAt(instrument, kinds[contract.kind].mark(contract, inputs));
  const mark = linearMark(ticks, instrument.quantaPerTickLot, { fresh: outlook.fresh });
  last.set(instrument, { outlook, mark });
  return mark;
}

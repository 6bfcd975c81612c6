/**
 * Marks of options. A mark is a function of index, volatility, terms and time alone, and is made when it is asked for. Time goes in steps, a minute, and a second in
 * the last hour, so that a quiet market is not priced anew in every block. Options on a surface are priced so only near their end; before,
 * in turns (`surface-marks.ts`).
 */
import type { ReadContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { divCeil, divHalfEven, maximum, PPM } from "../../kit/math/mul-div.ts";
import type { Instrument } from "../instruments.ts";
import type { Mark } from "../marking/mark.ts";
import type { Outlook } from "../settlement/prices.ts";
import type { Venue } from "../venue.ts";
import type { MarkInputs } from "./contract-kind.ts";
import { kinds } from "./kinds.ts";
import { boundedPrice, SPOT_MAX, shocked } from "./option-pricing.ts";
import { markOfValue, optionLot, type WorstValues } from "./option-requirements.ts";
import { surfaceMark } from "./surface-marks.ts";
import { type Quoted, volatilityOf, withBasis } from "./volatility.ts";

const HOUR_MS = 3_600_000n;

function stepped(remainingMs: bigint): bigint {
  const step = remainingMs > HOUR_MS ? 60_000n : 1000n;
  return divCeil(remainingMs, step) * step;
}

interface Made {
  readonly inputs: MarkInputs;
  readonly index: bigint;
  readonly fresh: boolean;
  readonly held: boolean;
  readonly mark: Mark;
}

// What depends on nothing but these inputs may be remembered with them.
const last = new WeakMap<Instrument, Made>();

/** Nothing is at risk any more: what it pays follows from the mean. */
const NO_TIME: Quoted = { volatility: 0n, basisPpm: 0n, fresh: true, held: false, priceable: true };

/** With what is beyond the formulas at their end, and not fresh. */
function bounded(outlook: Outlook): Outlook {
  const { averagedMs, mean, spot } = outlook;
  if (spot <= SPOT_MAX && mean <= SPOT_MAX) return outlook;
  const index = { ...outlook, spot: boundedPrice(spot), fresh: false };
  if (averagedMs === 0n) return { ...index, forward: index.spot };
  return { ...index, mean: boundedPrice(mean), forward: boundedPrice(outlook.forward) };
}

/** undefined before there is a volatility. */
export function optionMark(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
  known: Outlook,
): Mark | undefined {
  const outlook = bounded(known);
  const index = outlook.spot;
  const inTurns = surfaceMark(ctx, venue, instrument, outlook);
  if (inTurns !== null) return inTurns;
  const quoted = outlook.remainingMs === 0n ? NO_TIME : volatilityOf(ctx, venue, instrument, index);
  if (quoted === undefined) return undefined;
  return exactMark(instrument, outlook, quoted);
}

function exactMark(instrument: Instrument, outlook: Outlook, quoted: Quoted): Mark {
  const index = outlook.spot;
  const { volatility, held } = quoted;
  const { spot, forward, mean, averagedMs } = withBasis(outlook, quoted.basisPpm);
  const remainingMs = stepped(outlook.remainingMs);
  const fresh = outlook.fresh && quoted.fresh && quoted.priceable;
  const known = last.get(instrument);
  if (
    known !== undefined &&
    known.fresh === fresh &&
    known.held === held &&
    known.index === index &&
    known.inputs.spot === spot &&
    known.inputs.forward === forward &&
    known.inputs.mean === mean &&
    known.inputs.averagedMs === averagedMs &&
    known.inputs.remainingMs === remainingMs &&
    known.inputs.volatility === volatility
  ) {
    return known.mark;
  }
  const inputs = { spot, forward, mean, averagedMs, remainingMs, volatility };
  const value = kinds[instrument.contract.kind].mark(instrument.contract, inputs);
  const worst = exactWorst(instrument, inputs, held);
  const mark = markOfValue(optionLot(instrument), { index, value, worst, fresh });
  last.set(instrument, { inputs, index, fresh, held, mark });
  return mark;
}

/** What it would pay at the price expected now; a seller bears the worse of a shock up and one down. */
export function payoffMark(instrument: Instrument, outlook: Outlook): Mark {
  const { contract } = instrument;
  const risk = instrument.terms.optionRisk;
  assert(risk !== undefined, `${instrument.symbol} has no scenarios`);
  const { fresh, forward, spot: index } = bounded(outlook);
  const paid = (movePpm: bigint): bigint =>
    kinds[contract.kind].payoff(contract, divHalfEven(forward * (PPM + movePpm), PPM));
  const worst = (shockPpm: bigint): bigint => maximum(paid(shockPpm), paid(-shockPpm));
  return markOfValue(optionLot(instrument), {
    index,
    value: paid(0n),
    worst: {
      initial: worst(risk.initialShockPpm),
      maintenance: worst(risk.maintenanceShockPpm),
    },
    fresh,
  });
}

/** While the surface is only held, the initial requirement bears twice the move of volatility: new risk is dearer, nobody is closed for it. */
function exactWorst(instrument: Instrument, inputs: MarkInputs, held: boolean): WorstValues {
  const risk = instrument.terms.optionRisk;
  assert(risk !== undefined, `${instrument.symbol} has no scenarios`);
  const { initialShockPpm, maintenanceShockPpm, volatilityShockPpm } = risk;
  const wider = held ? 2n * volatilityShockPpm : volatilityShockPpm;
  return {
    initial: worstValue(instrument, inputs, initialShockPpm, wider),
    maintenance: worstValue(instrument, inputs, maintenanceShockPpm, volatilityShockPpm),
  };
}

function worstValue(
  { contract }: Instrument,
  inputs: MarkInputs,
  shockPpm: bigint,
  volatilityShockPpm: bigint,
): bigint {
  const { mark, worstForSeller } = kinds[contract.kind];
  assert(worstForSeller !== undefined, `${contract.kind} has no scenarios`);
  let worst = 0n;
  for (const { spot, volatility } of worstForSeller(contract)) {
    const moved = shocked(inputs, BigInt(spot) * shockPpm, BigInt(volatility) * volatilityShockPpm);
    worst = maximum(worst, mark(contract, moved));
  }
  return worst;
}

/**
 * Marks and requirements of options. A long lot is paid in full: its requirement is its value, whatever happens to it nobody else loses. A
 * short lot bears the worst scenario of the grid, and at least a share of the underlying, so that far strikes are not sold for nothing;
 * never more than the contract can pay.
 *
 * A mark is a function of index, volatility, terms and time alone, and is made when it is asked for. Time goes in steps, a minute, and a second in
 * the last hour, so that a quiet market is not priced anew in every block.
 */
import type { ReadContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { divCeil, maximum, minimum, mulDivUp, PPM } from "../../kit/math/mul-div.ts";
import type { Instrument } from "../instruments.ts";
import { TICKS_MAX } from "../limits.ts";
import type { Mark, PerLotLosses } from "../marks.ts";
import { type Outlook, toPrice } from "../settlement/prices.ts";
import type { Venue } from "../venue.ts";
import type { OptionContract } from "./contract.ts";
import { kinds, type MarkInputs } from "./kinds.ts";
import { lotScale, quantaPerLotAt, ticksAt } from "./lot-value.ts";
import { boundedVolatility, shocked } from "./option-pricing.ts";

/** No underlying is worth more than a million million; the formulas go a thousand times further. */
const SPOT_MAX = 10n ** 30n;
const HOUR_MS = 3_600_000n;

export function volatilityOf(
  ctx: ReadContext,
  venue: Venue,
  option: OptionContract,
): { readonly volatility: bigint; readonly fresh: boolean } | undefined {
  const price = venue.oracle.price(ctx, option.volatilityFeedId);
  if (price === undefined) return undefined;
  const volatility = boundedVolatility(toPrice(price.mantissa, price.exponent));
  return { volatility, fresh: price.fresh };
}

function stepped(remainingMs: bigint): bigint {
  const step = remainingMs > HOUR_MS ? 60_000n : 1000n;
  return divCeil(remainingMs, step) * step;
}

interface Made {
  readonly inputs: MarkInputs;
  readonly fresh: boolean;
  readonly mark: Mark | undefined;
}

// What depends on nothing but these inputs may be remembered with them.
const last = new WeakMap<Instrument, Made>();

/** undefined without an index or a volatility. */
export function optionMark(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
  outlook: Outlook,
): Mark | undefined {
  const { option } = instrument.contract;
  assert(option !== null, `${instrument.symbol} is no option`);
  const quoted = volatilityOf(ctx, venue, option);
  if (quoted === undefined || outlook.spot <= 0n || outlook.spot > SPOT_MAX) return undefined;
  const remainingMs = stepped(outlook.remainingMs);
  const { volatility } = quoted;
  const fresh = outlook.fresh && quoted.fresh;
  const known = last.get(instrument);
  if (
    known !== undefined &&
    known.fresh === fresh &&
    known.inputs.spot === outlook.spot &&
    known.inputs.forward === outlook.forward &&
    known.inputs.averagedMs === outlook.averagedMs &&
    known.inputs.remainingMs === remainingMs &&
    known.inputs.volatility === volatility
  ) {
    return known.mark;
  }
  const { spot, forward, mean, averagedMs } = outlook;
  const inputs = { spot, forward, mean, averagedMs, remainingMs, volatility };
  const mark = make(instrument, inputs, fresh);
  last.set(instrument, { inputs, fresh, mark });
  return mark;
}

function make(instrument: Instrument, inputs: MarkInputs, fresh: boolean): Mark | undefined {
  const { contract } = instrument;
  const ticks = ticksAt(instrument, kinds[contract.kind].mark(contract, inputs));
  const notionalPerLot = quantaPerLotAt(instrument, inputs.spot);
  if (ticks > BigInt(TICKS_MAX) || notionalPerLot <= 0n) return undefined;
  const quantaPerLot = ticks * instrument.quantaPerTickLot;
  const losses = requirements(instrument, inputs, quantaPerLot, notionalPerLot);
  return { ticks, fresh, quantaPerLot, notionalPerLot, losses };
}

/** Per lot, in quanta, rounded up. */
export function requirements(
  instrument: Instrument,
  inputs: MarkInputs,
  value: bigint,
  notional: bigint,
): PerLotLosses {
  const risk = instrument.terms.optionRisk;
  assert(risk !== undefined, `${instrument.symbol} has no scenarios`);
  const most = mostPaid(instrument);
  const short = (shockPpm: bigint, floorPpm: bigint): bigint => {
    const loss = worstValue(instrument, inputs, shockPpm, risk.volatilityShockPpm) - value;
    const needed = maximum(loss, mulDivUp(notional, floorPpm, PPM));
    return most === null ? needed : minimum(needed, maximum(most - value, 0n));
  };
  return {
    long: { initial: value, maintenance: value },
    short: {
      initial: short(risk.initialShockPpm, risk.initialFloorPpm),
      maintenance: short(risk.maintenanceShockPpm, risk.maintenanceFloorPpm),
    },
  };
}

function worstValue(
  instrument: Instrument,
  inputs: MarkInputs,
  shockPpm: bigint,
  volatilityShockPpm: bigint,
): bigint {
  const { contract } = instrument;
  const { mark, worstForSeller } = kinds[contract.kind];
  assert(worstForSeller !== undefined, `${contract.kind} has no scenarios`);
  let worst = 0n;
  for (const { spot, volatility } of worstForSeller(contract)) {
    const moved = shocked(inputs, BigInt(spot) * shockPpm, BigInt(volatility) * volatilityShockPpm);
    worst = maximum(worst, mark(contract, moved));
  }
  const [units, scale] = lotScale(instrument);
  return divCeil(worst * units, scale);
}

/** The most that a lot can ever pay; null: without bound. */
function mostPaid(instrument: Instrument): bigint | null {
  const { kind, option } = instrument.contract;
  assert(option !== null, `${instrument.symbol} is no option`);
  const [units, scale] = lotScale(instrument);
  if (kind === "digitalOption") return divCeil(option.payout * units, scale);
  return option.right === "put" ? divCeil(option.strike * units, scale) : null;
}

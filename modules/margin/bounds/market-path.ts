/**
 * How much a lot of one market may have lost, added up move by move: the level. Against the requirement that is: of every position, whatever its
 * size, value less maintenance requirement has changed since any earlier moment by at least lots × (level now − level then), up to one quantum for the
 * requirement's rounding. Funding enters as the price it is; the rates of tiers by the steepest tier; of a contract with losses per lot it is exact.
 */
import { maximum, PPM } from "../../kit/math/mul-div.ts";
import type { MarketView } from "../health/market-view.ts";
import type { PerLotLosses, RequirementTier } from "../ports.ts";
import type { Path, SidePath } from "./side-path.ts";

export type PositionSide = "long" | "short";
const POSITION_SIDES = ["long", "short"] as const;

/** All of a market that value and maintenance requirement are made of. */
export interface Seen {
  readonly quantaPerLot: bigint;
  readonly fundingIndex: bigint;
  readonly tiers: readonly RequirementTier[];
  readonly losses: PerLotLosses | null;
}

export function seen(view: MarketView): Seen {
  const { quantaPerLot, fundingIndex, losses, terms } = view;
  return { quantaPerLot, fundingIndex, tiers: terms.tiers, losses };
}

function sameTiers(a: readonly RequirementTier[], b: readonly RequirementTier[]): boolean {
  if (a === b) return true;
  return steepestRise(a, b) === 0n && steepestRise(b, a) === 0n;
}

function sameLosses(a: PerLotLosses | null, b: PerLotLosses | null): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  return a.long.maintenance === b.long.maintenance && a.short.maintenance === b.short.maintenance;
}

/** Nothing that health depends on has changed. */
export function sameSeen(a: Seen, b: Seen): boolean {
  return (
    a.quantaPerLot === b.quantaPerLot &&
    a.fundingIndex === b.fundingIndex &&
    sameLosses(a.losses, b.losses) &&
    sameTiers(a.tiers, b.tiers)
  );
}

/** The largest rise of a maintenance rate, at least 0. Null: the tiers begin elsewhere. */
function steepestRise(
  from: readonly RequirementTier[],
  to: readonly RequirementTier[],
): bigint | null {
  if (from === to) return 0n;
  if (from.length !== to.length) return null;
  let most = 0n;
  for (let i = 0; i < from.length; i++) {
    const before = from[i] as RequirementTier;
    const after = to[i] as RequirementTier;
    if (before.aboveQuanta !== after.aboveQuanta) return null;
    most = maximum(most, after.maintenancePpm - before.maintenancePpm);
  }
  return most;
}

function rateOf(tiers: readonly RequirementTier[], pick: "least" | "most"): bigint {
  let found = tiers[0]?.maintenancePpm ?? 0n;
  for (const { maintenancePpm } of tiers) {
    if (pick === "least" ? maintenancePpm < found : maintenancePpm > found) found = maintenancePpm;
  }
  return found;
}

/** What a lot has gained in value, funding paid; quanta. */
export function profitOf(from: Seen, to: Seen, side: PositionSide): bigint {
  const profit = to.quantaPerLot - from.quantaPerLot - (to.fundingIndex - from.fundingIndex);
  return side === "long" ? profit : -profit;
}

/**
 * At least this is what value less requirement of a lot has gained, in quanta × 1,000,000. Null: nothing can be said.
 * Of tiers: the requirement moves with the notional by a rate between the least and the steepest one, then by the largest rise of a rate.
 */
export function gainOf(from: Seen, to: Seen, side: PositionSide): bigint | null {
  const value = to.quantaPerLot - from.quantaPerLot;
  const profit = profitOf(from, to, side);
  if (from.losses !== null && to.losses !== null) {
    return (profit - (to.losses[side].maintenance - from.losses[side].maintenance)) * PPM;
  }
  if (from.losses !== null || to.losses !== null) return null;
  const rise = steepestRise(from.tiers, to.tiers);
  if (rise === null) return null;
  const rate = rateOf(from.tiers, value >= 0n ? "most" : "least");
  return profit * PPM - value * rate - to.quantaPerLot * rise;
}

/** What a lot of a side has gained at least, in quanta × 1,000,000. Null: nothing can be said. */
export type GainOf = (from: Seen, to: Seen, side: PositionSide) => bigint | null;

interface BothSides {
  readonly long: SidePath;
  readonly short: SidePath;
}

/** Begins anew where a lot is worth that much. */
export function resetBoth(sides: BothSides, { quantaPerLot, notionalPerLot }: MarketView): void {
  for (const side of POSITION_SIDES) sides[side].reset(maximum(quantaPerLot, notionalPerLot));
}

/** False: nothing can be said any more. */
export function moveBoth(
  sides: BothSides,
  gainOfSide: (side: PositionSide) => bigint | null,
): boolean {
  for (const side of POSITION_SIDES) {
    const gain = gainOfSide(side);
    if (gain === null || !sides[side].move(gain)) return false;
  }
  return true;
}

/** Both sides of a market. */
export class MarketPath implements Path {
  readonly long: SidePath;
  readonly short: SidePath;
  readonly sides: readonly SidePath[];
  readonly #gain: GainOf;
  /** Null: without a price. */
  #last: Seen | null = null;

  constructor(gain: GainOf, long: SidePath, short: SidePath) {
    this.#gain = gain;
    this.long = long;
    this.short = short;
    this.sides = [long, short];
  }

  /** True: how positions stand is no longer known, and all must be looked at. Without a price none can be. */
  advance(view: MarketView | undefined): boolean {
    const last = this.#last;
    if (view === undefined) {
      this.#last = null;
      return false;
    }
    const next = seen(view);
    this.#last = next;
    if (last !== null && sameSeen(last, next)) return false;
    if (last !== null && moveBoth(this, (side) => this.#gain(last, next, side))) return false;
    resetBoth(this, view);
    return true;
  }
}

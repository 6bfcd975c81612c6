/** How much to close, how far from mark, and what it costs: the arithmetic of liquidation, pure. Every rounding is named. */
import {
  divCeil,
  divFloor,
  maximum,
  minimum,
  mulDivDown,
  mulDivUp,
  PPM,
} from "../../kit/math/mul-div.ts";
import type { MarketView } from "../health/market-view.ts";
import type { Side } from "../ports.ts";

/** The position under the knife; lots > 0 whichever its side. */
export interface ClosingPosition {
  readonly lots: bigint;
  /** Value of a lot, which the penalty is a share of. */
  readonly quantaPerLot: bigint;
  /** What slippage and the least size are measured by. */
  readonly notionalPerLot: bigint;
  readonly maintenance: bigint;
}

export interface AccountFigures {
  readonly equity: bigint;
  readonly maintenance: bigint;
}

export interface ClosingRates {
  readonly targetPpm: bigint;
  readonly penaltyPpm: bigint;
  readonly slippagePpm: bigint;
  readonly notionalMin: bigint;
}

/** Equity the account is brought back to: maintenance × target, rounded up. */
export function targetEquity(maintenance: bigint, targetPpm: bigint): bigint {
  return mulDivUp(maintenance, targetPpm, PPM);
}

/**
 * Lots to close so that equity reaches target × maintenance: x = (t·M − E) / (t·m − f − s) of notional, rounded up; everything when
 * the account is below zero, when closing cannot help (t·m ≤ f + s), or when less than the minimum would remain.
 */
export function lotsToClose(
  account: AccountFigures,
  position: ClosingPosition,
  rates: ClosingRates,
): bigint {
  const { lots, quantaPerLot, notionalPerLot } = position;
  if (account.equity < 0n) return lots;
  const needed = targetEquity(account.maintenance, rates.targetPpm) - account.equity;
  if (needed <= 0n) return 0n;
  const costs = lots * (rates.penaltyPpm * quantaPerLot + rates.slippagePpm * notionalPerLot);
  const released = rates.targetPpm * position.maintenance - costs;
  if (released <= 0n) return lots;
  const least = divCeil(rates.notionalMin, notionalPerLot);
  const wanted = maximum(mulDivUp(lots, needed * PPM, released), maximum(least, 1n));
  if (wanted >= lots || (lots - wanted) * notionalPerLot < rates.notionalMin) return lots;
  return wanted;
}

/**
 * Distance of the fillable price from mark in ticks, rounded down: at equity = maintenance it is mark, at zero equity mark moved by
 * spread × the position's maintenance rate, linear between.
 */
export function fillableDistanceTicks(
  account: AccountFigures,
  position: { readonly lots: bigint; readonly maintenance: bigint },
  terms: { readonly spreadPpm: bigint; readonly quantaPerTickLot: bigint },
): bigint {
  // Positions that need nothing (options marked at nothing) are worth nothing either: at mark, or not at all.
  if (account.maintenance === 0n) return 0n;
  const missing = minimum(maximum(account.maintenance - account.equity, 0n), account.maintenance);
  return mulDivDown(
    missing * terms.spreadPpm,
    position.maintenance,
    account.maintenance * PPM * position.lots * terms.quantaPerTickLot,
  );
}

/**
 * Distance from mark in ticks, rounded down, at which closing the whole position uses up its share of the account's equity (split by maintenance
 * requirement): its bankruptcy price. Closed there in part, what is left keeps its share; an account below zero has none to use.
 */
export function ownDistanceTicks(
  account: AccountFigures,
  position: { readonly lots: bigint; readonly maintenance: bigint },
  quantaPerTickLot: bigint,
): bigint {
  if (account.equity <= 0n || account.maintenance === 0n || position.maintenance <= 0n) return 0n;
  const whole = account.maintenance * position.lots * quantaPerTickLot;
  return mulDivDown(account.equity, position.maintenance, whole);
}

/**
 * Greatest distance from mark a liquidation may trade at: the fillable distance, at least the expected slippage, inside the market's
 * band, and never beyond what the position has of its own: whoever takes it, who may be the same person, is not paid by insurance. Where equity and
 * insurance together could not pay what is missing at mark, negative: only better than mark.
 */
export function limitDistanceTicks(bounds: {
  readonly fillableTicks: bigint;
  /** To the position's bankruptcy price. */
  readonly ownTicks: bigint;
  /** Notional of a lot in ticks: the mark, or for an option the underlying's price. */
  readonly notionalTicks: bigint;
  readonly slippagePpm: bigint;
  readonly bandPpm: bigint;
  /** Equity + insurance. */
  readonly fundsQuanta: bigint;
  readonly closingLots: bigint;
  readonly quantaPerTickLot: bigint;
}): bigint {
  const slippage = mulDivDown(bounds.notionalTicks, bounds.slippagePpm, PPM);
  const band = mulDivDown(bounds.notionalTicks, bounds.bandPpm, PPM);
  const funds = divFloor(bounds.fundsQuanta, bounds.closingLots * bounds.quantaPerTickLot);
  const wanted = minimum(maximum(bounds.fillableTicks, slippage), band);
  return minimum(minimum(wanted, bounds.ownTicks), funds);
}

/** Penalty on the liquidated notional, rounded up, never more than the equity left. */
export function penaltyQuanta(notional: bigint, penaltyPpm: bigint, equityLeft: bigint): bigint {
  return minimum(mulDivUp(notional, penaltyPpm, PPM), maximum(equityLeft, 0n));
}

/**
 * Distance from mark at which closing the whole position brings in its share of the account's deficit (split by maintenance
 * requirement), in ticks rounded up, so that the bankrupt account ends at or above zero. A position that needs nothing has no part in it.
 */
export function bankruptcyDistanceTicks(
  account: AccountFigures,
  position: { readonly lots: bigint; readonly maintenance: bigint },
  quantaPerTickLot: bigint,
): bigint {
  if (account.equity >= 0n || account.maintenance === 0n) return 0n;
  const share = mulDivUp(-account.equity, position.maintenance, account.maintenance);
  return divCeil(share, position.lots * quantaPerTickLot);
}

/** The worst price at so many ticks from mark. An option's band can reach past zero: a sale is then at one tick or more. */
export function worstTicks(view: MarketView, side: Side, distance: bigint): bigint {
  if (side === "buy") return view.markTicks + distance;
  const limit = view.markTicks - distance;
  return view.losses !== null && limit < 1n ? 1n : limit;
}

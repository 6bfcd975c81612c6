/** A market as the code works with it: scales as integers, decimals to ticks and lots and back. */
import type { Market, MarketTerms } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import { assert } from "../kit/errors.ts";
import { formatDecimal, parseDecimal } from "../kit/math/decimal.ts";
import { divTrunc } from "../kit/math/mul-div.ts";
import { refuse } from "./errors.ts";
import { type Contract, contractOf, MONEY_PLACES } from "./instruments/contract.ts";
import { LOTS_MAX, PLACES_MAX, TICKS_MAX } from "./limits.ts";
import type { MarketId } from "./ports.ts";
import type { SettlementKey } from "./state.ts";

export type Status =
  | "proposed"
  | "active"
  | "closeOnly"
  | "halted"
  | "quarantined"
  | "settling"
  | "settled";

/** A step of price or size: units × 10^−places. */
export interface Step {
  readonly units: bigint;
  readonly places: number;
}

export interface RequirementTier {
  readonly aboveQuanta: bigint;
  readonly initialPpm: bigint;
  readonly maintenancePpm: bigint;
}

export interface Instrument {
  readonly id: MarketId;
  readonly symbol: string;
  readonly feedId: number;
  readonly market: Market;
  readonly terms: MarketTerms;
  readonly status: Status;
  readonly tick: Step;
  readonly lot: Step;
  /** Whole quanta of settlement money per (tick × lot). */
  readonly quantaPerTickLot: bigint;
  readonly takerPpm: bigint;
  /** Negative: rebate. */
  readonly makerPpm: bigint;
  readonly tiers: readonly RequirementTier[];
  readonly notionalMax: bigint;
  /** Liquidation executions stay within mark × (1 ± this). */
  readonly liquidationBandPpm: bigint;
  readonly contract: Contract;
  /** Of the record its settlement price is kept in; null: it never ends. */
  readonly settlementKey: SettlementKey | null;
  /** Unix milliseconds; of a perpetual beyond all time. */
  readonly expiryMs: number;
}

const STATUS: Readonly<Partial<Record<MarketStatus, Status>>> = {
  [MarketStatus.MARKET_STATUS_ACTIVE]: "active",
  [MarketStatus.MARKET_STATUS_CLOSE_ONLY]: "closeOnly",
  [MarketStatus.MARKET_STATUS_HALTED]: "halted",
  [MarketStatus.MARKET_STATUS_QUARANTINED]: "quarantined",
  [MarketStatus.MARKET_STATUS_PROPOSED]: "proposed",
  [MarketStatus.MARKET_STATUS_SETTLING]: "settling",
  [MarketStatus.MARKET_STATUS_SETTLED]: "settled",
};

// Stored markets are immutable values, so what is computed from one is remembered with it.
const known = new WeakMap<Market, Instrument>();

export function instrumentOf(market: Market): Instrument {
  let instrument = known.get(market);
  if (instrument === undefined) {
    instrument = build(market);
    known.set(market, instrument);
  }
  return instrument;
}

const expired = new WeakMap<Instrument, Instrument>();

/** The market at this time: past its expiry it is settling even before its turn in the queue of steps has come. */
export function instrumentAt(market: Market, nowMs: number): Instrument {
  const instrument = instrumentOf(market);
  if (nowMs < instrument.expiryMs) return instrument;
  if (instrument.status === "quarantined" || instrument.status === "settled") return instrument;
  let settling = expired.get(instrument);
  if (settling === undefined) {
    settling = { ...instrument, status: "settling" };
    expired.set(instrument, settling);
  }
  return settling;
}

/** Of those used last, by expiry. */
const recentKeys: (SettlementKey | undefined)[] = [];
const RECENT_KEYS = 251;

/** All markets that end so hold the same object: what is remembered with it is asked for by each of their marks. */
function sharedKey(key: SettlementKey): SettlementKey {
  const [feedId, expiryMs, windowMs] = key;
  const place = expiryMs % RECENT_KEYS;
  const known = recentKeys[place];
  if (known?.[0] === feedId && known[1] === expiryMs && known[2] === windowMs) return known;
  recentKeys[place] = key;
  return key;
}

function build(market: Market): Instrument {
  const { terms } = market;
  assert(terms !== undefined, `market ${market.symbol} has no terms`);
  const status = STATUS[market.status];
  assert(status !== undefined, `market ${market.symbol} has no status`);
  const tick = parseStep(market.tickSize);
  const lot = parseStep(market.lotSize);
  const quanta = tick === null || lot === null ? null : quantaPerTickLot(tick, lot);
  assert(tick !== null && lot !== null && quanta !== null, `market ${market.symbol} has no scale`);
  const contract = contractOf(market);
  assert(contract !== null, `market ${market.symbol} has no contract`);
  return {
    id: market.id,
    symbol: market.symbol,
    feedId: market.feedId,
    market,
    terms,
    status,
    tick,
    lot,
    quantaPerTickLot: quanta,
    takerPpm: BigInt(terms.takerFeePpm),
    makerPpm: BigInt(terms.makerFeePpm),
    tiers: terms.tiers.map((tier) => ({
      aboveQuanta: BigInt(tier.aboveQuanta),
      initialPpm: tier.initialPpm,
      maintenancePpm: tier.maintenancePpm,
    })),
    notionalMax: BigInt(terms.notionalMax),
    liquidationBandPpm: terms.liquidationBandPpm,
    contract,
    settlementKey:
      contract.maturity === null
        ? null
        : sharedKey([market.feedId, contract.maturity.expiryMs, contract.maturity.windowMs]),
    expiryMs: contract.maturity?.expiryMs ?? Number.MAX_SAFE_INTEGER,
  };
}

/** A positive canonical decimal of at most PLACES_MAX places, or null. */
export function parseStep(text: string): Step | null {
  const places = text.includes(".") ? text.length - text.indexOf(".") - 1 : 0;
  if (places > PLACES_MAX) return null;
  const units = parseDecimal(text, places);
  return units === null || units <= 0n ? null : { units, places };
}

/** tick × lot in quanta, or null when that is not a whole number. */
export function quantaPerTickLot(tick: Step, lot: Step): bigint | null {
  const scale = 10n ** BigInt(tick.places + lot.places);
  const product = tick.units * lot.units * 10n ** BigInt(MONEY_PLACES);
  const whole = divTrunc(product, scale);
  return whole * scale === product && whole > 0n ? whole : null;
}

function toSteps(text: string, step: Step, most: number): number | null {
  const value = parseDecimal(text, step.places);
  if (value === null || value <= 0n) return null;
  const steps = divTrunc(value, step.units);
  if (steps * step.units !== value || steps > BigInt(most)) return null;
  return Number(steps);
}

export function parsePrice(instrument: Instrument, text: string): number {
  const ticks = toSteps(text, instrument.tick, TICKS_MAX);
  if (ticks === null) {
    throw refuse(
      "invalidPrice",
      `expected a positive multiple of ${instrument.market.tickSize}, got "${text.slice(0, 60)}"`,
    );
  }
  return ticks;
}

export function parseSize(instrument: Instrument, text: string): number {
  const lots = toSteps(text, instrument.lot, LOTS_MAX);
  if (lots === null) {
    throw refuse(
      "invalidSize",
      `expected a positive multiple of ${instrument.market.lotSize}, got "${text.slice(0, 60)}"`,
    );
  }
  return lots;
}

export function formatPrice(instrument: Instrument, ticks: number | bigint): string {
  return formatDecimal(BigInt(ticks) * instrument.tick.units, instrument.tick.places);
}

export function formatSize(instrument: Instrument, lots: number | bigint): string {
  return formatDecimal(BigInt(lots) * instrument.lot.units, instrument.lot.places);
}

export function formatMoney(quanta: bigint): string {
  return formatDecimal(quanta, MONEY_PLACES);
}

/** Quanta of `lots` at `ticks`. */
export function notionalOf(instrument: Instrument, ticks: number, lots: number): bigint {
  return BigInt(ticks) * BigInt(lots) * instrument.quantaPerTickLot;
}

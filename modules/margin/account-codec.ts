/**
 * Stored values of margin: domain records with bigint money, encoded as published proto messages. `size` is arithmetic, so gas never
 * needs the encoding; the encoding itself is made once per record, at commit.
 */
import { pooled } from "@keel/proto/bytes/pooled";
import {
  Account as AccountMessage,
  Deficit as DeficitMessage,
  MarketLedger as LedgerMessage,
  Totals as TotalsMessage,
} from "@keel/proto/gen/keel/margin/v1/types";
import type { ValueCodec } from "../kit/collections/codecs.ts";
import { assert } from "../kit/errors.ts";
import type { ProtoCodec } from "../kit/module.ts";
import { parseMoney } from "./money.ts";
import type { MarketId } from "./ports.ts";

/** What a sub-account holds in one market; present while it has lots or resting orders there. Money in quanta. */
export interface Position {
  readonly market: MarketId;
  /** Long positive. */
  readonly lots: bigint;
  readonly quote: bigint;
  readonly fundingIndex: bigint;
  readonly openBuyLots: bigint;
  readonly openSellLots: bigint;
}

/** Collateral beside the settlement asset, in units of its coin. */
export interface AssetHolding {
  readonly denom: string;
  readonly units: bigint;
}

/** What the other sub-accounts of the owner have in one market, without sign. */
export interface Elsewhere {
  readonly market: MarketId;
  /** Held. */
  readonly lots: bigint;
  /** With resting orders at their worst side. */
  readonly worstLots: bigint;
}

export interface Account {
  readonly collateral: bigint;
  readonly feeReserve: bigint;
  /** Ascending by market. */
  readonly positions: readonly Position[];
  /** Judged as one portfolio by the margin model. */
  readonly portfolio: boolean;
  /** One market only, and nothing leaves it by itself. */
  readonly isolated: boolean;
  /** Ascending by denom, none of them zero. */
  readonly assets: readonly AssetHolding[];
  /**
   * Of its own markets, of a portfolio's account all of its owner; ascending. No part of the record: whoever reads the account from state finds it here
   * (owners/), and it is what requirements count.
   */
  readonly elsewhere: readonly Elsewhere[];
}

/** openQuote + fundingWeight + realised = 0, always. */
export interface MarketLedger {
  readonly market: MarketId;
  readonly openQuote: bigint;
  readonly fundingWeight: bigint;
  readonly realised: bigint;
  readonly longLots: bigint;
  readonly shortLots: bigint;
  readonly positions: bigint;
}

export interface Totals {
  readonly collateral: bigint;
  readonly feesHeld: bigint;
  readonly pendingShortfall: bigint;
  readonly netDeposits: bigint;
  readonly accounts: bigint;
}

export interface Deficit {
  readonly owner: string;
  readonly subaccount: number;
  readonly shortfall: bigint;
  readonly sinceNs: bigint;
}

/** Shared by all accounts without assets. */
export const NO_ASSETS: readonly AssetHolding[] = [];

/** Shared by all accounts whose owner has nothing elsewhere. */
export const NO_ELSEWHERE: readonly Elsewhere[] = [];

export const EMPTY_ACCOUNT: Account = {
  collateral: 0n,
  feeReserve: 0n,
  positions: [],
  portfolio: false,
  isolated: false,
  assets: NO_ASSETS,
  elsewhere: NO_ELSEWHERE,
};

export function emptyLedger(market: MarketId): MarketLedger {
  return {
    market,
    openQuote: 0n,
    fundingWeight: 0n,
    realised: 0n,
    longLots: 0n,
    shortLots: 0n,
    positions: 0n,
  };
}

function stored(text: string): bigint {
  const amount = parseMoney(text);
  assert(amount !== null, `expected stored money, got "${text}"`);
  return amount;
}

function mapped<V, M>(
  codec: ProtoCodec<M>,
  toMessage: (value: V) => M,
  fromMessage: (message: M) => V,
  size?: (value: V) => number,
): ValueCodec<V> {
  return {
    encode: (value) => codec.encode(toMessage(value)).finish(),
    decode: (bytes) => fromMessage(codec.decode(bytes)),
    ...(size === undefined ? {} : { size }),
  };
}

const SAFE_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** Of a bigint as a varint field, absent when zero. As numbers where it fits: bigint arithmetic would be its whole cost. */
function optional(value: bigint): number {
  if (value === 0n) return 0;
  if (value <= SAFE_MAX) return 1 + varintSize(Number(value));
  let size = 2;
  for (let rest = value; rest >= 0x80n; rest >>= 7n) size += 1;
  return size;
}

/** The same zigzag encoded. */
function optionalSigned(value: bigint): number {
  if (value > HALF_SAFE_MAX || value < -HALF_SAFE_MAX)
    return optional(value < 0n ? -2n * value - 1n : 2n * value);
  if (value === 0n) return 0;
  const number = Number(value);
  return 1 + varintSize(number < 0 ? -2 * number - 1 : 2 * number);
}

const HALF_SAFE_MAX = SAFE_MAX / 2n;

/** Bytes of a varint holding an integer from 0 to 2^53. */
function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  if (value < 0x1000_0000) return 4;
  let size = 5;
  for (let bound = 0x8_0000_0000; value >= bound; bound *= 0x80) size += 1;
  return size;
}

/** A present string field: one tag byte, one length byte, ASCII digits. */
function textSize(value: bigint): number {
  if (value > SAFE_MAX || value < -SAFE_MAX) return 2 + value.toString().length;
  let rest = Number(value);
  let size = 3;
  if (rest < 0) {
    rest = -rest;
    size += 1;
  }
  for (let power = 10; rest >= power; power *= 10) size += 1;
  return size;
}

function positionSize(position: Position): number {
  return (
    (position.market === 0 ? 0 : 1 + varintSize(position.market)) +
    optionalSigned(position.lots) +
    textSize(position.quote) +
    optionalSigned(position.fundingIndex) +
    optional(position.openBuyLots) +
    optional(position.openSellLots)
  );
}

function accountSize(account: Account): number {
  let size = textSize(account.collateral) + textSize(account.feeReserve);
  // A position takes at most 6 + 12 + 42 + 12 + 11 + 11 = 94 bytes, so its length prefix is one byte.
  for (const position of account.positions) size += 2 + positionSize(position);
  for (const { denom, units } of account.assets) {
    const inside = 2 + denom.length + (denom.length > 127 ? 1 : 0) + textSize(units);
    size += 1 + (inside > 127 ? 2 : 1) + inside;
  }
  if (account.portfolio) size += 2;
  return account.isolated ? size + 2 : size;
}

export function accountToMessage(account: Account): AccountMessage {
  return {
    collateral: account.collateral.toString(),
    feeReserve: account.feeReserve.toString(),
    positions: account.positions.map((p) => ({
      market: p.market,
      lots: p.lots,
      quote: p.quote.toString(),
      fundingIndex: p.fundingIndex,
      openBuyLots: p.openBuyLots,
      openSellLots: p.openSellLots,
    })),
    portfolio: account.portfolio,
    isolated: account.isolated,
    assets: account.assets.map(({ denom, units }) => ({ denom, units: units.toString() })),
  };
}

export function accountFromMessage(message: AccountMessage): Account {
  return {
    collateral: stored(message.collateral),
    feeReserve: stored(message.feeReserve),
    positions: message.positions.map((p) => ({
      market: p.market,
      lots: p.lots,
      quote: stored(p.quote),
      fundingIndex: p.fundingIndex,
      openBuyLots: p.openBuyLots,
      openSellLots: p.openSellLots,
    })),
    portfolio: message.portfolio,
    isolated: message.isolated,
    assets:
      message.assets.length === 0
        ? NO_ASSETS
        : message.assets.map(({ denom, units }) => ({ denom, units: stored(units) })),
    elsewhere: NO_ELSEWHERE,
  };
}

export function ledgerToMessage(ledger: MarketLedger): LedgerMessage {
  return {
    ...ledger,
    openQuote: ledger.openQuote.toString(),
    fundingWeight: ledger.fundingWeight.toString(),
    realised: ledger.realised.toString(),
  };
}

export function ledgerFromMessage(message: LedgerMessage): MarketLedger {
  return {
    ...message,
    openQuote: stored(message.openQuote),
    fundingWeight: stored(message.fundingWeight),
    realised: stored(message.realised),
  };
}

export function totalsToMessage(totals: Totals): TotalsMessage {
  return {
    collateral: totals.collateral.toString(),
    feesHeld: totals.feesHeld.toString(),
    pendingShortfall: totals.pendingShortfall.toString(),
    netDeposits: totals.netDeposits.toString(),
    accounts: totals.accounts,
  };
}

export function totalsFromMessage(message: TotalsMessage): Totals {
  return {
    collateral: stored(message.collateral),
    feesHeld: stored(message.feesHeld),
    pendingShortfall: stored(message.pendingShortfall),
    netDeposits: stored(message.netDeposits),
    accounts: message.accounts,
  };
}

export const accountValue: ValueCodec<Account> = mapped(
  pooled(AccountMessage),
  accountToMessage,
  accountFromMessage,
  accountSize,
);

export const ledgerValue: ValueCodec<MarketLedger> = mapped(
  pooled(LedgerMessage),
  ledgerToMessage,
  ledgerFromMessage,
  (ledger) =>
    (ledger.market === 0 ? 0 : 1 + varintSize(ledger.market)) +
    textSize(ledger.openQuote) +
    textSize(ledger.fundingWeight) +
    textSize(ledger.realised) +
    optional(ledger.longLots) +
    optional(ledger.shortLots) +
    optional(ledger.positions),
);

export const totalsValue: ValueCodec<Totals> = mapped(
  pooled(TotalsMessage),
  totalsToMessage,
  totalsFromMessage,
  (totals) =>
    textSize(totals.collateral) +
    textSize(totals.feesHeld) +
    textSize(totals.pendingShortfall) +
    textSize(totals.netDeposits) +
    optional(totals.accounts),
);

export function deficitToMessage(deficit: Deficit): DeficitMessage {
  return { ...deficit, shortfall: deficit.shortfall.toString() };
}

export function deficitFromMessage(message: DeficitMessage): Deficit {
  return { ...message, shortfall: stored(message.shortfall) };
}

export const deficitValue: ValueCodec<Deficit> = mapped(
  DeficitMessage,
  deficitToMessage,
  deficitFromMessage,
);

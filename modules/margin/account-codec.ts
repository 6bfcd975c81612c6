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
import { decimalField, signedField, varintField } from "../kit/collections/field-sizes.ts";
import { assert } from "../kit/errors.ts";
import type { ProtoCodec } from "../kit/module.ts";
import { parseMoney } from "../kit/money.ts";
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

function positionSize(position: Position): number {
  return (
    varintField(position.market) +
    signedField(position.lots) +
    decimalField(position.quote) +
    signedField(position.fundingIndex) +
    varintField(position.openBuyLots) +
    varintField(position.openSellLots)
  );
}

function accountSize(account: Account): number {
  let size = decimalField(account.collateral) + decimalField(account.feeReserve);
  // A position takes at most 6 + 12 + 42 + 12 + 11 + 11 = 94 bytes, so its length prefix is one byte.
  for (const position of account.positions) size += 2 + positionSize(position);
  for (const { denom, units } of account.assets) {
    const inside = 2 + denom.length + (denom.length > 127 ? 1 : 0) + decimalField(units);
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
    varintField(ledger.market) +
    decimalField(ledger.openQuote) +
    decimalField(ledger.fundingWeight) +
    decimalField(ledger.realised) +
    varintField(ledger.longLots) +
    varintField(ledger.shortLots) +
    varintField(ledger.positions),
);

export const totalsValue: ValueCodec<Totals> = mapped(
  pooled(TotalsMessage),
  totalsToMessage,
  totalsFromMessage,
  (totals) =>
    decimalField(totals.collateral) +
    decimalField(totals.feesHeld) +
    decimalField(totals.pendingShortfall) +
    decimalField(totals.netDeposits) +
    varintField(totals.accounts),
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

/** Stored records: bigint inside, published proto messages outside. */
import {
  VolatilityEstimate as EstimateMessage,
  Holder as HolderMessage,
  Totals as TotalsMessage,
  VaultMarket as VaultMarketMessage,
  type VaultMarketTerms,
  Withdrawal as WithdrawalMessage,
} from "@keel/proto/gen/keel/vault/v1/types";
import type { ValueCodec } from "../kit/collections/codecs.ts";
import { AssertionError, assert } from "../kit/errors.ts";
import type { ProtoCodec } from "../kit/module.ts";
import type { MarketId } from "./ports.ts";

export interface Totals {
  readonly shares: bigint;
  readonly queuedShares: bigint;
  readonly nextWithdrawal: bigint;
  readonly short: boolean;
}

export interface ShareLock {
  readonly untilMs: bigint;
  readonly shares: bigint;
}

export interface Holder {
  /** Without the queued ones. */
  readonly shares: bigint;
  readonly queuedShares: bigint;
  readonly withdrawals: number;
  readonly locks: readonly ShareLock[];
}

export interface VaultMarket {
  readonly market: MarketId;
  readonly terms: VaultMarketTerms;
  /** Quanta put in less taken out since the market was set. */
  readonly contributed: bigint;
}

export interface Estimate {
  readonly market: MarketId;
  /** In units of 2^-64. */
  readonly variance: bigint;
  readonly markTicks: bigint;
  readonly sampledMs: bigint;
}

export interface Withdrawal {
  readonly id: bigint;
  readonly owner: Uint8Array;
  readonly shares: bigint;
  readonly dueMs: bigint;
}

export const NO_TOTALS: Totals = {
  shares: 0n,
  queuedShares: 0n,
  nextWithdrawal: 1n,
  short: false,
};

export const NO_HOLDER: Holder = { shares: 0n, queuedShares: 0n, withdrawals: 0, locks: [] };

const INTEGER = /^(0|-?[1-9][0-9]{0,39})$/;

function stored(text: string): bigint {
  assert(INTEGER.test(text), `expected a stored integer, got "${text}"`);
  return BigInt(text);
}

const written = (value: bigint): string => value.toString();

export function totalsToMessage(totals: Totals): TotalsMessage {
  return {
    shares: written(totals.shares),
    queuedShares: written(totals.queuedShares),
    nextWithdrawal: totals.nextWithdrawal,
    shortOfCollateral: totals.short,
  };
}

export function totalsFromMessage(message: TotalsMessage): Totals {
  return {
    shares: stored(message.shares),
    queuedShares: stored(message.queuedShares),
    nextWithdrawal: message.nextWithdrawal,
    short: message.shortOfCollateral,
  };
}

export function holderToMessage(holder: Holder): HolderMessage {
  return {
    shares: written(holder.shares),
    queuedShares: written(holder.queuedShares),
    withdrawals: holder.withdrawals,
    locks: holder.locks.map(lockToMessage),
  };
}

export function lockToMessage(lock: ShareLock): HolderMessage["locks"][number] {
  return { untilMs: lock.untilMs, shares: written(lock.shares) };
}

export function holderFromMessage(message: HolderMessage): Holder {
  return {
    shares: stored(message.shares),
    queuedShares: stored(message.queuedShares),
    withdrawals: message.withdrawals,
    locks: message.locks.map(({ shares, untilMs }) => ({ untilMs, shares: stored(shares) })),
  };
}

export function marketToMessage(record: VaultMarket): VaultMarketMessage {
  return {
    market: record.market,
    terms: record.terms,
    contributed: written(record.contributed),
  };
}

export function marketFromMessage(message: VaultMarketMessage): VaultMarket {
  const { terms } = message;
  if (terms === undefined) throw new AssertionError(`market ${message.market} has no terms`);
  return { market: message.market, terms, contributed: stored(message.contributed) };
}

export function estimateToMessage(estimate: Estimate): EstimateMessage {
  return {
    market: estimate.market,
    variance: written(estimate.variance),
    markTicks: estimate.markTicks,
    sampledMs: estimate.sampledMs,
  };
}

export function estimateFromMessage(message: EstimateMessage): Estimate {
  const { market, markTicks, sampledMs } = message;
  return { market, variance: stored(message.variance), markTicks, sampledMs };
}

export function withdrawalToMessage(withdrawal: Withdrawal): WithdrawalMessage {
  return { ...withdrawal, shares: written(withdrawal.shares) };
}

export function withdrawalFromMessage(message: WithdrawalMessage): Withdrawal {
  return { ...message, shares: stored(message.shares) };
}

function recordValue<T, M>(
  codec: ProtoCodec<M>,
  to: (record: T) => M,
  from: (message: M) => T,
): ValueCodec<T> {
  return {
    encode: (record) => codec.encode(to(record)).finish(),
    decode: (bytes) => from(codec.decode(bytes)),
  };
}

export const totalsValue: ValueCodec<Totals> = recordValue(
  TotalsMessage,
  totalsToMessage,
  totalsFromMessage,
);
export const holderValue: ValueCodec<Holder> = recordValue(
  HolderMessage,
  holderToMessage,
  holderFromMessage,
);
export const marketValue: ValueCodec<VaultMarket> = recordValue(
  VaultMarketMessage,
  marketToMessage,
  marketFromMessage,
);
export const estimateValue: ValueCodec<Estimate> = recordValue(
  EstimateMessage,
  estimateToMessage,
  estimateFromMessage,
);
export const withdrawalValue: ValueCodec<Withdrawal> = recordValue(
  WithdrawalMessage,
  withdrawalToMessage,
  withdrawalFromMessage,
);

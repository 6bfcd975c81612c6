/** What the guard needs of others, said by the guard. Money is bigint in 1e-6 quanta of the settlement asset; sizes lots. */
import type { AccountId } from "../kit/account-id.ts";
import type { Addresses } from "../kit/addresses.ts";
import type { ReadContext, WriteContext } from "../kit/context.ts";

export type MarketId = number;

/** Implemented by derivatives. */
export interface VenuePort {
  marketId(ctx: ReadContext, symbol: string): MarketId | undefined;
  marketIds(ctx: ReadContext): readonly MarketId[];
  /** Status as it is now, restrictions and openings included. */
  terms(
    ctx: ReadContext,
    market: MarketId,
  ): { readonly symbol: string; readonly feedId: number; readonly status: string } | undefined;
  mark(
    ctx: ReadContext,
    market: MarketId,
  ): { readonly fresh: boolean; readonly notionalPerLot: bigint } | undefined;
  /** A call auction of at least this length; false where the market does not trade or has no auction terms. */
  callAuction(ctx: WriteContext, market: MarketId, lengthMs: number, reason: string): boolean;
  /** What was halted trades again: an opening where the market has one. */
  openAfterHalt(ctx: WriteContext, market: MarketId): void;
  /** Lots of the thinner side of the book within this of the mark; undefined without a fresh mark. */
  thinnerDepthLots(ctx: ReadContext, market: MarketId, rangePpm: bigint): bigint | undefined;
  /** After a fault in the guard's own work on the market. */
  quarantine(ctx: WriteContext, market: MarketId, reason: string): void;
}

/** Implemented by margin. */
export interface LedgerPort {
  openInterestLots(ctx: ReadContext, market: MarketId): bigint;
  /** Accounts with positions after this one in key order, an owner's together; near: short of margin but for this share. */
  survey(
    ctx: ReadContext,
    walk: { readonly after: AccountId | null; readonly count: number; readonly nearPpm: bigint },
  ): readonly {
    readonly id: AccountId;
    readonly near: boolean;
    readonly positions: readonly { readonly market: MarketId; readonly lots: bigint }[];
  }[];
  /** What accounts below zero miss. */
  pendingShortfall(ctx: ReadContext, denom: string): bigint;
  params(ctx: ReadContext): { readonly settlementDenom: string };
  /** Opens withdrawals that clearing had closed. */
  openGate(ctx: WriteContext): void;
}

/** Implemented by margin: what dynamic margin measures. */
export interface VolatilityPort {
  /** Deviations of a move over the horizon, 1e-18; null for a feed that is not measured. */
  rangeOver(
    ctx: ReadContext,
    feedId: number,
    over: { readonly deviationsPpm: bigint; readonly horizonMs: bigint },
  ): bigint | null;
}

export interface BankPort {
  balance(ctx: ReadContext, owner: Uint8Array, denom: string): bigint;
}

/** Implemented by insurance. */
export interface FundPort {
  balance(ctx: ReadContext, denom: string): bigint;
}

export interface GuardPorts {
  readonly venue: VenuePort;
  readonly ledger: LedgerPort;
  readonly volatility: VolatilityPort;
  readonly bank: BankPort;
  readonly fund: FundPort;
  /** The account whose coins withdrawals take. */
  readonly collateralVault: Uint8Array;
  readonly addresses: Addresses;
}

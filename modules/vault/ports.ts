/** What the vault needs of others, said by the vault. Money is bigint in quanta of the settlement asset, prices ticks, sizes lots. */
import type { AccountId } from "../kit/account-id.ts";
import type { Addresses } from "../kit/addresses.ts";
import type { ReadContext, WriteContext } from "../kit/context.ts";

export type MarketId = number;
export type Side = "buy" | "sell";

/** The clearing ledger: where the vault's money and positions are. Implemented by margin. */
export interface LedgerPort {
  params(ctx: ReadContext): { readonly settlementDenom: string };
  account(
    ctx: ReadContext,
    account: AccountId,
  ):
    | {
        readonly collateral: bigint;
        readonly positions: readonly {
          readonly market: MarketId;
          readonly lots: bigint;
        }[];
      }
    | undefined;
  /** Equity at present marks, quanta; undefined for an unknown account. */
  health(ctx: ReadContext, account: AccountId): { readonly equity: bigint } | undefined;
  /** What may leave the account now, quanta. */
  freeCollateral(ctx: ReadContext, account: AccountId): bigint;
  /** What insurance funds have paid for the account and take back of what it comes to be worth, quanta. */
  owedToFunds(ctx: ReadContext, account: AccountId): bigint;
  /** What limits on all withdrawals let leave now, quanta; null: there is none. */
  withdrawalRoom(ctx: ReadContext): bigint | null;
  openInterestLots(ctx: ReadContext, market: MarketId): bigint;
  /** All below throw ModuleError to refuse. */
  deposit(ctx: WriteContext, sender: Uint8Array, to: AccountId, amount: bigint): bigint;
  withdraw(ctx: WriteContext, from: AccountId, amount: bigint): bigint;
  transfer(ctx: WriteContext, from: AccountId, to: AccountId, amount: bigint): void;
}

export interface MarketTerms {
  readonly id: MarketId;
  readonly symbol: string;
  readonly quantaPerTickLot: bigint;
  /** Empty for contracts whose risk is no share of their value. */
  readonly tiers: readonly { readonly initialPpm: bigint }[];
  readonly status: string;
}

export interface MarkPrice {
  readonly ticks: bigint;
  readonly fresh: boolean;
  readonly quantaPerLot: bigint;
}

/** A quote as the vault places it. */
export interface ProtocolOrder {
  readonly account: AccountId;
  readonly market: MarketId;
  readonly side: Side;
  readonly ticks: bigint;
  readonly lots: bigint;
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
  readonly clientId: string;
  readonly goodTilMs: number;
}

export interface OpenOrder {
  /** 0 while it is collected for an auction. */
  readonly id: number;
  readonly clientId: string;
  readonly side: Side;
  readonly ticks: number;
  readonly lots: number;
  readonly reduceOnly: boolean;
  readonly goodTilMs: number;
}

/** Markets and their books. Implemented by derivatives. */
export interface VenuePort {
  terms(ctx: ReadContext, market: MarketId): MarketTerms | undefined;
  marketId(ctx: ReadContext, symbol: string): MarketId | undefined;
  /** undefined before the first price. */
  mark(ctx: ReadContext, market: MarketId): MarkPrice | undefined;
  /** The mark without what the market's own book says of it. */
  booklessMark(ctx: ReadContext, market: MarketId): MarkPrice | undefined;
  /** The account's orders in this market, in the book or collected for an auction. */
  openOrders(ctx: ReadContext, account: AccountId, market: MarketId): readonly OpenOrder[];
  /** As an order of anyone. Throws ModuleError to refuse, and leaves reverting to the caller. */
  placeForProtocol(ctx: WriteContext, order: ProtocolOrder): void;
  cancelForProtocol(
    ctx: WriteContext,
    order: { readonly account: AccountId; readonly market: MarketId; readonly clientId: string },
  ): void;
}

export interface BankPort {
  /** Throws ModuleError (sdk 5) when `from` has too little. */
  transfer(
    ctx: WriteContext,
    from: Uint8Array,
    to: Uint8Array,
    denom: string,
    amount: bigint,
  ): void;
}

export interface OraclePort {
  /** value × 10^exponent; undefined before the first. */
  price(
    ctx: ReadContext,
    feedId: number,
  ): { readonly mantissa: bigint; readonly exponent: number; readonly fresh: boolean } | undefined;
}

export interface VaultPorts {
  readonly ledger: LedgerPort;
  readonly venue: VenuePort;
  readonly bank: BankPort;
  readonly oracle: OraclePort;
  readonly addresses: Addresses;
}

/**
 * What derivatives needs of others, said by derivatives. Money is bigint in 1e-6 quanta of the settlement asset, prices ticks,
 * sizes lots.
 */
import type { AccountId } from "../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import type { SsviSlice } from "../kit/math/ssvi.ts";
import type { KeyKind } from "../kit/signature.ts";

export type MarketId = number;
export type Side = "buy" | "sell";

/** What a price still allows when it is no longer fresh, or is so only in part. */
export interface PriceStage {
  /** Positions may shrink, and accounts be judged, at it. */
  readonly reduces: boolean;
  readonly withdraws: boolean;
  readonly liquidates: boolean;
}

export interface OraclePrice {
  /** Price = mantissa × 10^exponent in the quote asset. */
  readonly mantissa: bigint;
  readonly exponent: number;
  /** Half-width of the validators' confidence, as a mantissa; and the share of all power behind the price. */
  readonly confidence: bigint;
  readonly reportingPowerPpm: bigint;
  readonly timeNs: bigint;
  /** False when it is too old or below quorum. */
  readonly fresh: boolean;
  /** Absent: all of it while it is fresh, nothing of it after. */
  readonly stage?: PriceStage;
  /** Deviation of one minute's move; absent or 0: not measured. */
  readonly sigmaPpm?: bigint;
}

/** One expiry of a volatility surface at one moment. */
export interface Smile {
  readonly slice: SsviSlice;
  /** Forward = index × (1 + this), ppm. */
  readonly basisPpm: bigint;
  /** Time left, at least 1. */
  readonly seconds: bigint;
  /** Held: marks go on, new short options need more. */
  readonly age: "fresh" | "held" | "stale";
}

export interface AnchoredSmile {
  /** The same object as long as nothing it is made of changed. */
  readonly smile: Smile;
  /** Index of that moment = mantissa × 10^exponent. */
  readonly mantissa: bigint;
  readonly exponent: number;
  /** Too old to be used. */
  readonly late: boolean;
  /** Of the surface now, at this expiry. */
  readonly age: Smile["age"];
}

export interface OraclePort {
  /** undefined before the first price. */
  price(ctx: ReadContext, feedId: number): OraclePrice | undefined;
  feed(ctx: ReadContext, feedId: number): { readonly symbol: string } | undefined;
  surface(ctx: ReadContext, surfaceId: number): { readonly feedId: number } | undefined;
  /** As it is now; undefined without parameters for the expiry. */
  smile(ctx: ReadContext, surfaceId: number, expiryMs: number): Smile | undefined;
  /** As it was at the last turn of this market number; undefined before the first. */
  anchoredSmile(
    ctx: ReadContext,
    surfaceId: number,
    expiryMs: number,
    number: number,
  ): AnchoredSmile | undefined;
}

/** Where bonds come from and go to. */
export interface BankPort {
  /** Throws ModuleError (sdk 5) when `from` has too little. */
  transfer(
    ctx: WriteContext,
    from: Uint8Array,
    to: Uint8Array,
    denom: string,
    amount: bigint,
  ): void;
  balance(ctx: ReadContext, owner: Uint8Array, denom: string): bigint;
}

export interface TradeParty {
  readonly account: AccountId;
  /** Signed: positive is charged, negative is a rebate. */
  readonly feeQuanta: bigint;
  readonly orderId: bigint | null;
  /** Resting exposure on the party's own side that this fill takes off. */
  readonly release?: {
    readonly lots: bigint;
    readonly feeReserveQuanta: bigint;
  };
}

export interface Trade {
  readonly market: MarketId;
  readonly priceTicks: bigint;
  readonly lots: bigint;
  readonly buyer: TradeParty;
  readonly seller: TradeParty;
  readonly taker: Side;
  /** "external" was matched elsewhere, "transfer" moves a position at mark: neither is paid a rebate. */
  readonly kind: "order" | "liquidation" | "deleverage" | "external" | "transfer";
}

/** Collateral that goes from one sub-account to another together with trades. */
export interface CollateralMove {
  readonly from: AccountId;
  readonly to: AccountId;
  /** Positive. */
  readonly quanta: bigint;
}

/** Whose requirement refused the whole; nothing was changed then. */
export type ClearAllResult =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly refused: AccountId;
      readonly code: number;
      readonly reason: string;
    };

/** Which party's requirement refused the trade; nothing was changed then. */
export type ClearResult =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly refused: Side;
      readonly code: number;
      readonly reason: string;
    };

/** All that one account bought, or sold, in an auction. */
export interface AuctionFill {
  readonly account: AccountId;
  readonly side: Side;
  readonly lots: bigint;
  /** Never negative: an auction pays no rebates. */
  readonly feeQuanta: bigint;
  /** Resting exposure on this side that the fill takes off. */
  readonly release: { readonly lots: bigint; readonly feeReserveQuanta: bigint };
}

/** Fills at one price. As many lots are bought as sold; each account stands on one side, once. Who traded with whom has no meaning. */
export interface AuctionTrade {
  readonly market: MarketId;
  readonly priceTicks: bigint;
  readonly fills: readonly AuctionFill[];
}

/** Every account whose requirement refused; nothing was changed then. */
export type AuctionResult =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly refused: readonly {
        readonly account: AccountId;
        readonly code: number;
        readonly reason: string;
      }[];
    };

/** The clearing ledger: where positions and collateral live. */
export interface ClearingPort {
  /** The one way a fill enters the ledger. Refuses when a party's requirement is not met; never throws for that. */
  clear(ctx: WriteContext, trade: Trade): ClearResult;
  /** The same for all fills of an auction at once: all of them or none. */
  clearAuction(ctx: WriteContext, trade: AuctionTrade): AuctionResult;
  /** All of them or none: applied in order, then every touched account is checked once. Never throws for a refusal. */
  clearAll(
    ctx: WriteContext,
    trades: readonly Trade[],
    moves: readonly CollateralMove[],
  ): ClearAllResult;
  /** Gives everything a sub-account without open orders has to one that does not exist. Throws ModuleError to refuse. */
  portAccount(ctx: WriteContext, from: AccountId, to: AccountId): void;
  /** Moves the exposure reserved for resting orders by signed deltas. True when the worst case grew: requireInitial must follow. */
  adjustOpenOrders(
    ctx: WriteContext,
    account: AccountId,
    market: MarketId,
    side: Side,
    deltaLots: bigint,
    deltaFeeReserveQuanta: bigint,
  ): boolean;
  /** A part of the trading fees held becomes collateral of a sub-account, which is made when there is none. */
  shareFees(ctx: WriteContext, account: AccountId, quanta: bigint): void;
  /** Throws ModuleError unless equity covers the initial requirement, open orders included. */
  requireInitial(ctx: ReadContext, account: AccountId): void;
  /**
   * Runs a change of the market's terms. Throws ModuleError, and leaves undoing to the caller, when an account with a position in the market that
   * was healthy before is liquidatable after it.
   */
  keepHealthy(ctx: WriteContext, market: MarketId, change: (ctx: WriteContext) => void): void;
  /** Signed lots, long positive. */
  positionLots(ctx: ReadContext, account: AccountId, market: MarketId): bigint;
  exists(ctx: ReadContext, account: AccountId): boolean;
  openInterestLots(ctx: ReadContext, market: MarketId): bigint;
  /** What is reserved for the account's resting orders; for the invariant that compares it with the books. */
  account(
    ctx: ReadContext,
    account: AccountId,
  ):
    | {
        readonly feeReserve: bigint;
        readonly positions: readonly {
          readonly market: MarketId;
          readonly openBuyLots: bigint;
          readonly openSellLots: bigint;
        }[];
      }
    | undefined;
}

/** Accounts that sign transactions. */
export interface KeyAccountsPort {
  /** Makes the account of a key, so that it can sign. Nothing when it is there. */
  ensureKey(ctx: WriteContext, kind: KeyKind, key: Uint8Array): void;
}

/** What holds in a market beyond its own terms and status. */
export interface MarketRestriction {
  readonly level: "none" | "closeOnly" | "halted";
  /** 0: no cap beside the market's own. */
  readonly openInterestMaxLots: bigint;
}

/** Who restricts markets from outside. */
export interface GuardPort {
  /** Null: nothing. */
  restriction(ctx: ReadContext, market: MarketId): MarketRestriction | null;
}

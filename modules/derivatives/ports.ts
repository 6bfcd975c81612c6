/**
 * What derivatives needs of others, said by derivatives. Money is bigint in 1e-6 quanta of the settlement asset, prices ticks,
 * sizes lots.
 */
import type { AccountId } from "../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../kit/context.ts";

export type MarketId = number;
export type Side = "buy" | "sell";

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
}

export interface OraclePort {
  /** undefined before the first price. */
  price(ctx: ReadContext, feedId: number): OraclePrice | undefined;
  feed(ctx: ReadContext, feedId: number): { readonly symbol: string } | undefined;
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
  readonly kind: "order" | "liquidation" | "deleverage";
}

/** Which party's requirement refused the trade; nothing was changed then. */
export type ClearResult =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly refused: Side;
      readonly code: number;
      readonly reason: string;
    };

/** The clearing ledger: where positions and collateral live. */
export interface ClearingPort {
  /** The one way a fill enters the ledger. Refuses when a party's requirement is not met; never throws for that. */
  clear(ctx: WriteContext, trade: Trade): ClearResult;
  /** Moves the exposure reserved for resting orders by signed deltas. True when the worst case grew: requireInitial must follow. */
  adjustOpenOrders(
    ctx: WriteContext,
    account: AccountId,
    market: MarketId,
    side: Side,
    deltaLots: bigint,
    deltaFeeReserveQuanta: bigint,
  ): boolean;
  /** Throws ModuleError unless equity covers the initial requirement, open orders included. */
  requireInitial(ctx: ReadContext, account: AccountId): void;
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

/** What margin needs of others, said by margin. Money is bigint in 1e-6 quanta of the settlement asset; prices ticks; sizes lots. */
import type { AccountId } from "../kit/account-id.ts";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import type { RiskInstrument, UnderlyingState } from "./portfolio/risk-array.ts";

export type MarketId = number;
export type Side = "buy" | "sell";

export interface BankPort {
  /** Moves coins; throws ModuleError (sdk 5) when `from` has too little. Addresses are raw bytes. */
  transfer(
    ctx: WriteContext,
    from: Uint8Array,
    to: Uint8Array,
    denom: string,
    amount: bigint,
  ): void;
  balance(ctx: ReadContext, owner: Uint8Array, denom: string): bigint;
  /** Coins may not be sent there: it belongs to the chain. */
  isBlocked(address: Uint8Array): boolean;
}

/** One band of the requirement schedule: applies to the part of position notional above `aboveQuanta`. */
export interface RequirementTier {
  readonly aboveQuanta: bigint;
  readonly initialPpm: bigint;
  readonly maintenancePpm: bigint;
}

export interface MarketTerms {
  readonly id: MarketId;
  readonly symbol: string;
  /** Of the oracle's prices of the underlying. */
  readonly feedId: number;
  /** Whole quanta of settlement money per (tick × lot). */
  readonly quantaPerTickLot: bigint;
  /** Ascending by aboveQuanta, first at 0. */
  readonly tiers: readonly RequirementTier[];
  readonly status:
    | "proposed"
    | "active"
    | "closeOnly"
    | "halted"
    | "quarantined"
    | "settling"
    | "settled";
  /** Liquidation executions stay within mark ± this share of notional. */
  readonly liquidationBandPpm: bigint;
  /** Initial margin is raised by this share of itself for a while; absent: it is not. */
  readonly initialRaisePpm?: bigint;
}

/** Requirement per lot, quanta. */
export interface LotLosses {
  readonly initial: bigint;
  readonly maintenance: bigint;
}

/** Per-lot requirements of a contract whose risk is not a share of its value (options). */
export interface PerLotLosses {
  readonly long: LotLosses;
  readonly short: LotLosses;
}

/** What a price still allows when it is no longer fresh, or is so only in part. */
export interface PriceStage {
  /** Positions may shrink, and accounts be judged, at it. */
  readonly reduces: boolean;
  readonly withdraws: boolean;
  readonly liquidates: boolean;
}

export interface MarkPrice {
  /** Whole ticks; 0 for an option that is worth less than half of one. */
  readonly ticks: bigint;
  /** False when a price behind it is stale or below quorum: no matching, liquidation or risk-raising change on it. */
  readonly fresh: boolean;
  /** Absent: all of it while it is fresh, nothing of it after. */
  readonly stage?: PriceStage;
  /** Value of one lot. ticks × quantaPerTickLot while the market trades, finer at settlement. */
  readonly quantaPerLot: bigint;
  /** What sizes, bands and bounds of one lot are measured by: its value, or for an option that of the underlying. */
  readonly notionalPerLot: bigint;
  /** Null: the market's tiers on notional. */
  readonly losses: PerLotLosses | null;
}

/** Implemented by oracle: what dynamic margin measures. */
export interface PricesPort {
  /** undefined for an unknown feed or before the first price. Value = mantissa × 10^exponent; the exponent of a feed never changes. */
  price(
    ctx: ReadContext,
    feedId: number,
  ):
    | {
        readonly mantissa: bigint;
        readonly exponent: number;
        /** Half-width, in the mantissa's unit. */
        readonly confidence: bigint;
        readonly fresh: boolean;
      }
    | undefined;
}

/** What a margin model prices one lot of a market by. */
export interface MarketRisk {
  readonly underlying: UnderlyingState;
  readonly instrument: RiskInstrument;
}

/** Implemented by derivatives. */
export interface MarketsPort {
  marketIds(ctx: ReadContext): readonly MarketId[];
  terms(ctx: ReadContext, market: MarketId): MarketTerms | undefined;
  /** undefined before the first price, and never after: of a market that somebody holds there is one, not fresh where nothing can be done at it. */
  mark(ctx: ReadContext, market: MarketId): MarkPrice | undefined;
  /**
   * undefined without a price, and once the market is settled. The same object while nothing has changed that matters: prices, volatilities and
   * times go in steps, so that what is computed from it serves many blocks.
   */
  risk(ctx: ReadContext, market: MarketId): MarketRisk | undefined;
  /** Cumulative funding in whole quanta per lot paid by longs since listing; fractions are carried in the market. */
  fundingIndex(ctx: ReadContext, market: MarketId): bigint;
  /** Cancels every open order of the account, in every market (they were reserving margin). */
  cancelOrders(ctx: WriteContext, account: AccountId, reason: string): void;
  /**
   * Immediate-or-cancel against the book for `lots` on `side`, no worse than `limitTicks`; each fill calls back `clear` with kind
   * "liquidation". Returns the filled lots. The account pays no taker fee.
   */
  liquidateAtBook(
    ctx: WriteContext,
    order: {
      readonly market: MarketId;
      readonly account: AccountId;
      readonly side: Side;
      readonly lots: bigint;
      readonly limitTicks: bigint;
    },
  ): bigint;
  marketId(ctx: ReadContext, symbol: string): MarketId | undefined;
  /** Lots that rest in the book on `side` at `limitTicks` or better; at least some of them. */
  depthLots(
    ctx: ReadContext,
    at: { readonly market: MarketId; readonly side: Side; readonly limitTicks: bigint },
  ): bigint;
  /** Expired markets whose positions can be settled now: without orders, at a known value. Ascending. */
  settleable(ctx: ReadContext): readonly MarketId[];
  /** Quanta per lot at which an expired market settles, the same for every position; undefined for all others. */
  settlementValue(ctx: ReadContext, market: MarketId): bigint | undefined;
  /** No position of the market is left. */
  settled(ctx: WriteContext, market: MarketId): void;
  /** While it is short of what nobody bears it takes cancels only; false: it goes on. */
  stop(ctx: WriteContext, market: MarketId, stopped: boolean): void;
  /** Ends it at its mark: from now on it settles like an expired one. Null: not now, since its price is old or in doubt, or somebody else has stopped it. */
  end(
    ctx: WriteContext,
    market: MarketId,
  ): { readonly quantaPerLot: bigint; readonly markTicks: bigint } | null;
  /** Stops matching in the market after a fault in its end-of-block work; idempotent. */
  quarantine(ctx: WriteContext, market: MarketId, reason: string): void;
}

/** Who takes over what the book does not, before insurance and deleveraging. Implemented by the vault. */
export interface BackstopPort {
  /** It may take something over in this block; false: nothing of it is asked or remembered. */
  ready(ctx: ReadContext): boolean;
  /** One of its own sub-accounts: liquidated as any, never taken over. */
  isOwn(account: AccountId): boolean;
  /** Which sub-account takes a position (lots long positive) over at mark, and how many of its lots, 0 to all; null: none. */
  offer(
    ctx: ReadContext,
    market: MarketId,
    lots: bigint,
  ): { readonly account: AccountId; readonly lots: bigint } | null;
  /** As `offer`, before it comes to that: what it bids in the auction, and its worst price; null: nothing. */
  bid(
    ctx: ReadContext,
    market: MarketId,
    lots: bigint,
  ): { readonly account: AccountId; readonly lots: bigint; readonly ticks: bigint } | null;
  /** The sub-account that its part of penalties goes to; null: it takes none. */
  purse(ctx: ReadContext): AccountId | null;
}

/** Quanta that the markets of one risk class have lost; class empty: of none. */
export interface LossPart {
  readonly riskClass: string;
  readonly amount: bigint;
}

/** Who bore a part of a loss: the protocol's own part of a fund, all of its holders, or those of another class. */
export interface LossPayment {
  readonly bearer: "treasury" | "fund" | "assessment";
  readonly riskClass: string;
  readonly amount: bigint;
  /** Shares of the protocol's own part of the fund that went for it. */
  readonly ownShares: bigint;
  /** Of the amount, quanta that count as an assessment. */
  readonly assessed: bigint;
}

/** What one fund has paid, and has back: all that the payment changed. */
export type LossRecovery = Pick<LossPayment, "riskClass" | "amount" | "ownShares" | "assessed">;

/**
 * Implemented by insurance: one fund that all risk classes share, and one for each class that was opened. All amounts ≥ 0. The money itself lies in the one
 * collateral vault; insurance keeps the claims on it.
 */
export interface InsurancePort {
  /** Of all funds. */
  balance(ctx: ReadContext, denom: string): bigint;
  /** Coins paid into the vault for the funds from outside, since genesis, less what left it. */
  funded(ctx: ReadContext, denom: string): bigint;
  /** What a loss of the class may be paid with now, by its fund and the shared one, assessments apart. */
  available(ctx: ReadContext, denom: string, riskClass: string): bigint;
  hasFund(ctx: ReadContext, denom: string, riskClass: string): boolean;
  /** Of one fund alone: what it holds, what it may pay now, and what losses of other classes may take of it. */
  fundBalance(ctx: ReadContext, denom: string, riskClass: string): bigint;
  fundAvailable(ctx: ReadContext, denom: string, riskClass: string): bigint;
  assessable(ctx: ReadContext, denom: string, riskClass: string): bigint;
  /** Ascending, without the shared one. */
  riskClasses(ctx: ReadContext, denom: string): readonly string[];
  credit(ctx: WriteContext, denom: string, amount: bigint, reason: string, riskClass: string): void;
  /** Pays at most the sum of the parts, as far as the funds reach: those of the classes, the shared one, assessments of others. */
  allocate(ctx: WriteContext, denom: string, loss: readonly LossPart[]): readonly LossPayment[];
  /** Undoes a payment, or a part of one; the money is in the vault. */
  recover(ctx: WriteContext, denom: string, recovery: LossRecovery): void;
  /** Cost of the assets that the shared fund has bought and not sold yet. */
  inventory(ctx: ReadContext, denom: string): bigint;
  /** What the shared fund may spend on assets of accounts above zero now. */
  purse(ctx: ReadContext, denom: string): bigint;
  /** The shared fund pays, at most its balance, for assets that it has from then on. */
  buy(ctx: WriteContext, denom: string, cost: bigint): void;
  /** It got `proceeds`, which are in the vault, for assets that had cost it `cost`. */
  sell(
    ctx: WriteContext,
    denom: string,
    sold: { readonly cost: bigint; readonly proceeds: bigint },
  ): void;
}

// ---------------------------------------------------------------- what margin offers to whoever matches trades

export interface TradeParty {
  readonly account: AccountId;
  /** Signed: positive is charged, negative is a rebate. */
  readonly feeQuanta: bigint;
  readonly orderId: bigint | null;
  /**
   * Resting exposure that this fill takes off, on the party's own side, in the same write. A maker's fill either gives it here or
   * calls adjustOpenOrders before: never both.
   */
  readonly release?: {
    readonly lots: bigint;
    readonly feeReserveQuanta: bigint;
  };
}

/** A trade agreed anywhere: the book, an auction, a deleveraging. */
export interface Trade {
  readonly market: MarketId;
  readonly priceTicks: bigint;
  readonly lots: bigint;
  readonly buyer: TradeParty;
  readonly seller: TradeParty;
  readonly taker: Side;
  /**
   * "external" was matched elsewhere, "transfer" moves a position at mark: neither is paid a rebate. "deleverage" is margin's own, at a
   * price and between accounts that it has judged before: deleveraging and takeovers.
   */
  readonly kind: "order" | "liquidation" | "deleverage" | "external" | "transfer";
}

/** Collateral that goes from one sub-account to another together with trades. */
export interface CollateralMove {
  readonly from: AccountId;
  readonly to: AccountId;
  /** Positive. */
  readonly quanta: bigint;
}

/** Whose requirement refused the whole; nothing was changed. */
export type ClearAllResult =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly refused: AccountId;
      readonly code: number;
      readonly reason: string;
    };

/** Which party's requirement refused the trade; nothing was changed. */
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

/** Implemented by margin; consumed by derivatives (which re-declares it as its own port). */
export interface ClearingPort {
  /**
   * The one way a fill enters the ledger: settles funding of both sides, moves positions and quote, charges fees, checks both
   * parties (initial margin including resting orders, or "no riskier than before"; never for the liquidated side, which is the
   * taker). Both accounts must differ. A liquidation pays the maker no rebate. Fees of one trade may not sum below what is held.
   */
  clear(ctx: WriteContext, trade: Trade): ClearResult;
  /** As `clear`, for all fills of an auction: each account is checked once, after its fills; all are written or none. */
  clearAuction(ctx: WriteContext, trade: AuctionTrade): AuctionResult;
  /**
   * All or none: collateral moves first (making the receiving account where there is none), then the trades in order, then every touched
   * account is checked once: initial margin, or no riskier than before; who gave collateral must meet initial margin out of cash.
   */
  clearAll(
    ctx: WriteContext,
    trades: readonly Trade[],
    moves: readonly CollateralMove[],
  ): ClearAllResult;
  /** A whole sub-account without open orders under another, unused name. Throws ModuleError unless it meets initial margin at fresh marks. */
  portAccount(ctx: WriteContext, from: AccountId, to: AccountId): void;
  /**
   * Resting order exposure: worst case of position ± open orders enters the initial requirement. Deltas may be negative. Returns
   * true when the worst case grew, which is when requireInitial must follow. Throws ModuleError on an unknown account or market,
   * or too many markets.
   */
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
  /** Throws ModuleError unless equity ≥ initial requirement including open orders (after an adjustOpenOrders that raised it). */
  requireInitial(ctx: ReadContext, account: AccountId): void;
  /**
   * Runs a change of the market's terms, or of what all are marked by (null). Throws ModuleError, and leaves undoing to the caller, when an account with
   * a position in the market that was healthy before is liquidatable after it.
   */
  keepHealthy(
    ctx: WriteContext,
    market: MarketId | null,
    change: (ctx: WriteContext) => void,
  ): void;
  /** Signed lots, long positive. */
  positionLots(ctx: ReadContext, account: AccountId, market: MarketId): bigint;
  exists(ctx: ReadContext, account: AccountId): boolean;
  /** Lots held long = lots held short. */
  openInterestLots(ctx: ReadContext, market: MarketId): bigint;
}

/** Who raises initial margin and holds back what leaves the vault. Implemented by the guard. */
export interface GuardPort {
  /** Share by which initial margin of the market is raised, ppm; 0: not. */
  initialRaisePpm(ctx: ReadContext, market: MarketId): bigint;
  /** Coins are about to leave the vault, or have come in. The first throws ModuleError when they may not leave now. */
  withdrawing(ctx: WriteContext, denom: string, quanta: bigint): void;
  deposited(ctx: WriteContext, denom: string, quanta: bigint): void;
  /** Coins have left that nobody holds back, and count against what may. */
  left(ctx: WriteContext, denom: string, quanta: bigint): void;
  /** What limits let leave now; null: there is none. */
  room(ctx: ReadContext, denom: string): bigint | null;
}

/**
 * What happens when an incoming order meets resting ones: clearing of each fill, and the makers that have to leave instead
 * (expired, own, reduce-only without a position, short of margin).
 */

import type { BuilderTerms } from "@keel/proto/gen/keel/derivatives/v1/fees";
import { type AccountId, ownerKeyOf } from "../../kit/account-id.ts";
import { ModuleError } from "../../kit/errors.ts";
import { absolute, maximum } from "../../kit/math/mul-div.ts";
import type { OrderTerms } from "../book/order-terms.ts";
import { refuse } from "../errors.ts";
import * as events from "../events.ts";
import { FeeDesk, type Party } from "../fees/desk.ts";
import { feeReserve } from "../fees/rates.ts";
import { notionalOf } from "../instruments.ts";
import { reaches } from "../keys/reach.ts";
import type { Side, TradeParty } from "../ports.ts";
import { nowMs, type Turn } from "../venue.ts";
import { afterMakerFill, cancelPartner, hooksOf, partnerOf } from "../waiting/links.ts";
import { DROP_MAKER, type Matched, match, STOP_TAKER } from "./matching.ts";
import {
  decrement,
  enforceReduceOnly,
  makerRelease,
  recordFill,
  recordOf,
  release,
} from "./resting.ts";
import type { SelfTrade } from "./wire.ts";

export interface Incoming {
  readonly account: AccountId;
  readonly side: Side;
  readonly limitTicks: number;
  readonly lots: number;
  /** null: a liquidation. */
  readonly orderId: number | null;
  readonly selfTrade: SelfTrade;
  /** Fee rate at which margin holds a reserve for the whole order, or null when nothing is reserved. */
  readonly reservePpm: number | null;
  readonly builder: BuilderTerms | undefined;
  /** Address of the trading key that sent it; undefined: the owner. */
  readonly trader: Uint8Array | undefined;
}

export interface Execution {
  readonly matched: Matched;
  readonly filledLots: number;
  /** Taken off without a trade, against own orders. */
  readonly decrementedLots: number;
  readonly notional: bigint;
  readonly feeQuanta: bigint;
  readonly fills: number;
  /** Why the taker was stopped. */
  readonly stop: { readonly reason: string; readonly refusal: ModuleError | null } | null;
}

/** Codespace of the refusals that clearing reports. */
const CLEARING_CODESPACE = "margin";

export function nothingMet(lots: number): Execution {
  const matched = { remaining: lots, steps: 0, end: "limit" } as const;
  return {
    matched,
    filledLots: 0,
    decrementedLots: 0,
    notional: 0n,
    feeQuanta: 0n,
    fills: 0,
    stop: null,
  };
}

export function execute(turn: Turn, taker: Incoming): Execution {
  const { book, ctx, instrument, venue } = turn;
  const liquidation = taker.orderId === null;
  const now = nowMs(ctx);
  const takerOwner = ownerKeyOf(taker.account);
  const touched = new Set<AccountId>();
  const desk = new FeeDesk(turn, taker, liquidation);
  let remaining = taker.lots;
  let notional = 0n;
  let feeQuanta = 0n;
  let fills = 0;
  let decremented = 0;
  let stop: Execution["stop"] = null;

  /** Lots the maker may trade, or why it must leave. */
  function admit(maker: OrderTerms, wanted: number): number | string {
    if (maker.goodTilMs !== 0 && maker.goodTilMs <= now) return "expired";
    if (maker.goodTilHeight !== 0 && maker.goodTilHeight < ctx.header.height) return "expired";
    if (!maker.reduceOnly && instrument.status !== "closeOnly") return wanted;
    const position = venue.clearing.positionLots(ctx, maker.account, instrument.id);
    const closable = reducible(position, maker.side);
    if (closable === 0n) return "reduce_only";
    return closable < BigInt(wanted) ? Number(closable) : wanted;
  }

  /** Of what is reserved for the taker, the part of `lots`. */
  function reserved(lots: number, reservePpm: number): bigint {
    const before = feeReserve(instrument, taker.limitTicks, remaining, reservePpm);
    return before - feeReserve(instrument, taker.limitTicks, remaining - lots, reservePpm);
  }

  function takerParty(lots: number, fee: bigint): TradeParty {
    const orderId = taker.orderId === null ? null : BigInt(taker.orderId);
    const { account, reservePpm } = taker;
    if (reservePpm === null) return { account, feeQuanta: fee, orderId };
    const release = { lots: BigInt(lots), feeReserveQuanta: reserved(lots, reservePpm) };
    return { account, feeQuanta: fee, orderId, release };
  }

  function makerParty(maker: OrderTerms, lots: number, feeQuanta: bigint): TradeParty {
    const freed = makerRelease(turn, maker, lots);
    const { account } = maker;
    const orderId = BigInt(maker.id);
    if (freed === undefined) return { account, feeQuanta, orderId };
    return { account, feeQuanta, orderId, release: freed };
  }

  /** Both lose the smaller of the two, and nobody trades. */
  function decrementBoth(slot: number, maker: OrderTerms, lots: number): number {
    const { account, reservePpm, side } = taker;
    if (reservePpm !== null) {
      const fees = reserved(lots, reservePpm);
      const { clearing } = venue;
      clearing.adjustOpenOrders(ctx, account, instrument.id, side, -BigInt(lots), -fees);
    }
    remaining -= lots;
    decremented += lots;
    return decrement(turn, slot, maker, lots);
  }

  function meet(slot: number, wanted: number): number {
    if (stop !== null) return STOP_TAKER;
    const maker = book.read(slot);
    if (maker.account.startsWith(takerOwner)) {
      const mode = reaches(turn, taker, maker.account) ? taker.selfTrade : "cancelTaker";
      if (mode === "decrement") return decrementBoth(slot, maker, wanted);
      if (mode !== "cancelMaker") {
        const refusal = refuse(
          "selfTrade",
          `expected no own order in reach, met order ${maker.id}`,
        );
        const both = mode === "cancelBoth";
        // Refusing the whole message would bring the maker back, so "both" is never a refusal.
        stop = { reason: "self_trade", refusal: both ? null : refusal };
        if (!both) return STOP_TAKER;
      }
      release(turn, maker, "self_trade");
      return DROP_MAKER;
    }
    const admitted = admit(maker, wanted);
    if (typeof admitted === "string") {
      // Time takes both orders of a pair, whoever finds one of them; read first, since the record goes.
      const partner = admitted === "expired" ? partnerOf(turn, slot) : 0;
      release(turn, maker, admitted);
      cancelPartner(turn, maker.account, partner);
      return DROP_MAKER;
    }
    return clear(slot, maker, admitted);
  }

  function clear(slot: number, maker: OrderTerms, lots: number): number {
    const value = notionalOf(instrument, maker.ticks, lots);
    const cap = openInterestRefusal(turn, maker, taker, lots);
    if (cap !== null) {
      stop = { reason: "open_interest_cap", refusal: cap };
      return STOP_TAKER;
    }
    const { account } = maker;
    const builder = maker.hooked ? recordOf(turn, maker).builder : undefined;
    const making: Party = { account, builder };
    const fees = desk.charge(value, making);
    const takerSide = takerParty(lots, fees.takerQuanta);
    const makerSide = makerParty(maker, lots, fees.makerQuanta);
    const buying = taker.side === "buy";
    const result = venue.clearing.clear(ctx, {
      market: instrument.id,
      priceTicks: BigInt(maker.ticks),
      lots: BigInt(lots),
      buyer: buying ? takerSide : makerSide,
      seller: buying ? makerSide : takerSide,
      taker: taker.side,
      kind: liquidation ? "liquidation" : "order",
    });
    if (!result.ok) {
      if (result.refused === taker.side) {
        const refusal = new ModuleError(CLEARING_CODESPACE, result.code, result.reason);
        stop = { reason: "margin", refusal };
        return STOP_TAKER;
      }
      release(turn, maker, "margin");
      return DROP_MAKER;
    }
    desk.cleared(value, making, fees);
    const hooks = hooksOf(turn, maker);
    const traded = recordFill(turn, slot, maker, lots);
    events.trade(turn, {
      ticks: maker.ticks,
      lots,
      side: taker.side,
      maker: maker.account,
      makerOrderId: maker.id,
      makerFee: fees.makerQuanta,
      taker: taker.account,
      takerOrderId: taker.orderId,
      takerFee: fees.takerQuanta,
      liquidation,
    });
    turn.lastTradeTicks = maker.ticks;
    if (book.openReduceOnly(maker.account) > 0) touched.add(maker.account);
    remaining -= lots;
    notional += value;
    feeQuanta += fees.takerQuanta;
    fills += 1;
    // Filled completely, it is in the book until the kernel is told.
    if (hooks !== null) afterMakerFill(turn, hooks, lots, traded !== maker.lots);
    return traded;
  }

  const matched = match(
    book,
    {
      side: taker.side,
      limitTicks: taker.limitTicks,
      lots: taker.lots,
      stepsMax: instrument.terms.fillsPerOrderMax,
    },
    meet,
    ctx.state,
  );
  if (fills > 0 && book.openReduceOnly(taker.account) > 0) touched.add(taker.account);
  for (const account of touched) enforceReduceOnly(turn, account);
  desk.close();
  return {
    matched,
    filledLots: taker.lots - remaining - decremented,
    decrementedLots: decremented,
    notional,
    feeQuanta,
    fills,
    stop,
  };
}

/** Lots by which an order of `side` can shrink the position. */
export function reducible(position: bigint, side: Side): bigint {
  if (position === 0n || position > 0n !== (side === "sell")) return 0n;
  return absolute(position);
}

/** A fill may not raise open interest above the market's cap. */
function openInterestRefusal(
  turn: Turn,
  maker: OrderTerms,
  taker: Incoming,
  lots: number,
): ModuleError | null {
  const { ctx, instrument, venue } = turn;
  const cap = instrument.terms.openInterestMaxLots;
  if (cap === 0n || taker.orderId === null) return null;
  const present = venue.clearing.openInterestLots(ctx, instrument.id);
  if (present + BigInt(lots) <= cap) return null;
  const long = (account: AccountId, side: Side): bigint => {
    const before = venue.clearing.positionLots(ctx, account, instrument.id);
    const after = before + (side === "buy" ? BigInt(lots) : -BigInt(lots));
    return maximum(after, 0n) - maximum(before, 0n);
  };
  const growth = long(maker.account, maker.side) + long(taker.account, taker.side);
  if (growth <= 0n || present + growth <= cap) return null;
  return refuse("openInterestCap", `expected open interest of at most ${cap} lots`);
}

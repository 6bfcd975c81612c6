/**
 * Who trades for whom, decided in one place: a message's sender trades for itself, or for `owner` under a live grant. Every trading message
 * asks here, and a grant's bounds hold for all of them alike.
 */

import type { TradingGrant } from "@keel/proto/gen/keel/derivatives/v1/trading_keys";
import type { MsgPlaceOrderResponse } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { OrderStatus, TriggerKind } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { AccountId } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import { refuse } from "../errors.ts";
import { type Instrument, instrumentOf } from "../instruments.ts";
import type { DerivativesKeeper } from "../keeper.ts";
import type { Mark } from "../marking/mark.ts";
import { markOf } from "../marks.ts";
import { limitOf } from "../orders/admission.ts";
import { onlyShrinks, openOrderOf } from "../orders/amending.ts";
import { intentOfWaiting } from "../orders/intents.ts";
import type { OrderRequest } from "../orders/requests.ts";
import type { MarketId } from "../ports.ts";
import { openTurn, requireInstrument, type Venue } from "../venue.ts";
import { collectedWorth, isFree, lotsOf, placedWorth, rememberKey } from "./counting.ts";
import { requireGrant, requireGrantedMarket, spend } from "./grants.ts";
import type { GrantKey } from "./state.ts";

export type TradingHand = Pick<
  DerivativesKeeper,
  "place" | "cancel" | "cancelAll" | "amend" | "placeOco" | "placeCombo" | "setDeadMan"
>;

type CollectedKey = readonly [MarketId, AccountId, string];

export interface Trader {
  readonly account: AccountId;
  /** The keeper's operations, within the grant. */
  readonly hand: TradingHand;
}

export interface TradingMessage {
  readonly sender: string;
  /** Empty: the sender. */
  readonly owner: string;
  readonly subaccount: number;
}

/** Without state. */
export function checkTrader({ addresses }: Venue, { sender, owner }: TradingMessage): void {
  addresses.parse(sender);
  if (owner !== "") addresses.parse(owner);
}

/** Null: the sender trades for itself. Throws ModuleError without a grant for the sub-account. */
export function grantOf(
  ctx: WriteContext,
  { venue, message }: { readonly venue: Venue; readonly message: TradingMessage },
): { readonly at: GrantKey; readonly grant: TradingGrant } | null {
  const { addresses } = venue;
  const { sender, owner, subaccount } = message;
  if (owner === "" || owner === sender) return null;
  const at: GrantKey = [addresses.parse(owner), addresses.parse(sender)];
  return { at, grant: requireGrant(ctx, venue, at, subaccount) };
}

export function traderOf(
  ctx: WriteContext,
  venue: Venue,
  keeper: DerivativesKeeper,
  message: TradingMessage,
): Trader {
  const granted = grantOf(ctx, { venue, message });
  const owner = message.owner === "" ? message.sender : message.owner;
  const account = venue.accounts.of(owner, message.subaccount);
  if (granted === null) return { account, hand: keeper };
  return { account, hand: boundHand(venue, keeper, granted) };
}

/** Of a market that just took an order, so it has one. */
function markNow(ctx: WriteContext, venue: Venue, instrument: Instrument): Mark {
  const mark = markOf(ctx, venue, instrument);
  assert(mark !== undefined, `${instrument.symbol} took an order without a mark`);
  return mark;
}

function boundHand(
  venue: Venue,
  keeper: DerivativesKeeper,
  { at, grant }: { readonly at: GrantKey; readonly grant: TradingGrant },
): TradingHand {
  const trader = at[1];
  const granted = (ctx: WriteContext, symbol: string): Instrument => {
    const instrument = requireInstrument(ctx, venue, symbol);
    requireGrantedMarket(grant, instrument.id, instrument.symbol);
    return instrument;
  };
  const commit = (
    ctx: WriteContext,
    instrument: Instrument,
    placed: MsgPlaceOrderResponse,
    reduceOnly: boolean,
  ): void => {
    const mark = markNow(ctx, venue, instrument);
    if (isFree(mark, reduceOnly)) return;
    const turn = openTurn(ctx, venue, instrument);
    spend(ctx, venue, at, grant, placedWorth(turn, mark, placed).quanta);
    rememberKey(turn, mark, Number(placed.orderId), at[1]);
  };
  const commitCollected = (ctx: WriteContext, instrument: Instrument, key: CollectedKey): void => {
    const order = venue.state.collected.get(ctx, key);
    if (order === undefined) return;
    const mark = markNow(ctx, venue, instrument);
    if (isFree(mark, order.reduceOnly)) return;
    const measure = { instrument, mark };
    const { waiting } = order;
    // A TWAP needs no trigger: its first slice may cost what it bids.
    const bids = waiting?.kind === TriggerKind.TRIGGER_KIND_TWAP;
    const limit = bids
      ? limitOf(openTurn(ctx, venue, instrument), intentOfWaiting(waiting), mark)
      : Number(order.priceTicks);
    const counted = { ...order, priceTicks: BigInt(limit) };
    spend(ctx, venue, at, grant, collectedWorth(measure, counted));
    if (waiting === undefined) return;
    // Marks move until it fires.
    const perLot = collectedWorth(measure, { ...counted, lots: 1n });
    const keyCount = { trader, quantaPerLot: perLot.toString() };
    venue.state.collected.set(ctx, key, { ...order, waiting: { ...waiting, keyCount } });
  };
  const commitPlaced = (
    ctx: WriteContext,
    instrument: Instrument,
    account: AccountId,
    { clientId, reduceOnly }: OrderRequest,
    placed: MsgPlaceOrderResponse,
  ): void => {
    if (placed.status === OrderStatus.ORDER_STATUS_COLLECTED)
      commitCollected(ctx, instrument, [instrument.id, account, clientId]);
    else commit(ctx, instrument, placed, reduceOnly);
  };
  return {
    place(ctx, account, request) {
      const instrument = granted(ctx, request.market);
      const placed = keeper.place(ctx, account, { ...request, trader });
      commitPlaced(ctx, instrument, account, request, placed);
      return placed;
    },
    amend(ctx, account, amendment) {
      const instrument = granted(ctx, amendment.market);
      const before = openOrderOf(openTurn(ctx, venue, instrument), account, amendment);
      const amended = keeper.amend(ctx, account, { ...amendment, trader });
      const { order } = amended;
      if (order === undefined) return amended;
      // What only shrinks commits to nothing new; anything else counts as a new order, whoever placed it.
      const open = lotsOf(instrument, order.remainingSize);
      const shrinks = order.fills === 0 && onlyShrinks(amendment, before.lots, open);
      if (!shrinks) commit(ctx, instrument, order, before.reduceOnly);
      return amended;
    },
    placeOco(ctx, account, legs) {
      const instrument = granted(ctx, legs[0].market);
      const placed = keeper.placeOco(ctx, account, [
        { ...legs[0], trader },
        { ...legs[1], trader },
      ]);
      placed.legs.forEach((leg, n) => {
        commitPlaced(ctx, instrument, account, legs[n] as OrderRequest, leg);
      });
      return placed;
    },
    placeCombo(ctx, account, combo) {
      const instruments = combo.legs.map(({ market }) => granted(ctx, market));
      const placed = keeper.placeCombo(ctx, account, { ...combo, trader });
      placed.legs.forEach((leg, n) => {
        commit(ctx, instruments[n] as Instrument, leg, false);
      });
      return placed;
    },
    setDeadMan(ctx, account, deadlineMs) {
      // It cancels in every market.
      if (grant.markets.length > 0)
        throw refuse("notGranted", "a dead man needs a grant for all markets");
      keeper.setDeadMan(ctx, account, deadlineMs);
    },
    cancel(ctx, account, name) {
      granted(ctx, name.market);
      return keeper.cancel(ctx, account, name);
    },
    cancelAll(ctx, account, symbol) {
      if (symbol !== "") granted(ctx, symbol);
      if (symbol !== "" || grant.markets.length === 0)
        return keeper.cancelAll(ctx, account, symbol);
      const symbols: string[] = [];
      venue.state.markets.each(ctx, (id, market) => {
        if (grant.markets.includes(id)) symbols.push(instrumentOf(market).symbol);
      });
      return symbols.reduce((sum, one) => sum + keeper.cancelAll(ctx, account, one), 0);
    },
  };
}

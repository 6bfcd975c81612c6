/** Message routes of derivatives: shape checks without state, then one call into the keeper. */
import { pooled } from "@keel/proto/bytes/pooled";
import {
  MsgAmendOrder,
  MsgAmendOrderResponse,
  MsgBatchOrders,
  MsgBatchOrdersResponse,
  MsgCancelAll,
  MsgCancelAllResponse,
  MsgCancelOrder,
  MsgCancelOrderResponse,
  MsgCreateMarket,
  MsgCreateMarketResponse,
  MsgPlaceCombo,
  MsgPlaceComboResponse,
  MsgPlaceOco,
  MsgPlaceOcoResponse,
  MsgPlaceOrder,
  MsgPlaceOrderResponse,
  MsgSetDeadMan,
  MsgSetDeadManResponse,
  MsgUpdateMarket,
  MsgUpdateMarketResponse,
  MsgUpdateParams,
  MsgUpdateParamsResponse,
  type NewOrder,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { authorityOf, onParamsUpdate } from "../kit/authority.ts";
import type { MessageRoute } from "../kit/module.ts";
import { onMessage } from "../kit/module.ts";
import { createListed } from "./auction/rounds.ts";
import { refuse } from "./errors.ts";
import { instrumentMessages } from "./instruments/messages.ts";
import type { DerivativesKeeper } from "./keeper.ts";
import { checkTrader, traderOf } from "./keys/trader.ts";
import { validateMarket, validateParams, validateTerms } from "./listing/terms.ts";
import { checkAmendment } from "./orders/amending.ts";
import { checkBatch, runBatch } from "./orders/batch.ts";
import { checkOrderName } from "./orders/cancelling.ts";
import { parseCombo } from "./orders/combos.ts";
import { parseRequest } from "./orders/requests.ts";
import type { Venue } from "./venue.ts";
import { parseOco } from "./waiting/pairs.ts";

/** Lanes: what only takes away from the book or a position goes first, what can only add to the book next, the rest last. */
const LANE_CANCEL = 1;
const LANE_POST_ONLY = 2;
const LANE_OTHER = 3;

/** An order that waits meets nothing in its own transaction: it fires at the end of a block, behind all lanes. */
function orderLane(order: NewOrder): number {
  if (order.reduceOnly) return LANE_CANCEL;
  const waits = order.trigger !== undefined || order.twap !== undefined;
  return order.postOnly || waits ? LANE_POST_ONLY : LANE_OTHER;
}

/** At its own price an order meets nothing; at another it may. */
function amendmentLane({ price }: { readonly price: string }): number {
  return price === "" ? LANE_POST_ONLY : LANE_OTHER;
}

function slowest(lanes: readonly number[]): number {
  return lanes.reduce((slow, lane) => (lane > slow ? lane : slow), LANE_CANCEL);
}

export function derivativesMessages(
  venue: Venue,
  keeper: DerivativesKeeper,
): readonly MessageRoute[] {
  const { addresses } = venue;

  const requireAuthority = authorityOf(keeper.params, refuse);
  const listed = createListed(venue);

  return [
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgPlaceOrder",
      request: MsgPlaceOrder,
      response: pooled(MsgPlaceOrderResponse),
      signers: (message) => [message.sender],
      lane: orderLane,
      listed: (ctx, order) => listed(ctx, [order]),
      validate(message) {
        checkTrader(venue, message);
        parseRequest(message);
      },
      handle(ctx, message) {
        const { account, hand } = traderOf(ctx, venue, keeper, message);
        return hand.place(ctx, account, parseRequest(message));
      },
    }),
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgCancelOrder",
      request: MsgCancelOrder,
      response: pooled(MsgCancelOrderResponse),
      signers: (message) => [message.sender],
      lane: () => LANE_CANCEL,
      listed: (ctx, { market }) => listed(ctx, [{ market }]),
      validate(message) {
        checkTrader(venue, message);
        checkOrderName(message);
      },
      handle(ctx, message) {
        const { account, hand } = traderOf(ctx, venue, keeper, message);
        return hand.cancel(ctx, account, message);
      },
    }),
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgCancelAll",
      request: MsgCancelAll,
      response: MsgCancelAllResponse,
      signers: (message) => [message.sender],
      lane: () => LANE_CANCEL,
      listed: (ctx, { market }) => listed(ctx, [{ market }]),
      validate: (message) => checkTrader(venue, message),
      handle(ctx, message) {
        const { account, hand } = traderOf(ctx, venue, keeper, message);
        return { cancelled: hand.cancelAll(ctx, account, message.market) };
      },
    }),
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgBatchOrders",
      request: MsgBatchOrders,
      response: MsgBatchOrdersResponse,
      signers: (message) => [message.sender],
      lane: ({ amendments, orders }) =>
        slowest([...amendments.map(amendmentLane), ...orders.map(orderLane)]),
      listed: (ctx, { amendments, cancels, orders }) =>
        amendments.length === 0 &&
        listed(ctx, [...cancels.map(({ market }) => ({ market })), ...orders]),
      validate(message) {
        checkTrader(venue, message);
        checkBatch(message);
      },
      handle(ctx, message) {
        checkBatch(message);
        const { account, hand } = traderOf(ctx, venue, keeper, message);
        return runBatch(ctx, venue, hand, account, message);
      },
    }),
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgAmendOrder",
      request: MsgAmendOrder,
      response: MsgAmendOrderResponse,
      signers: (message) => [message.sender],
      lane: amendmentLane,
      validate(message) {
        checkTrader(venue, message);
        checkAmendment(message);
      },
      handle(ctx, message) {
        const { account, hand } = traderOf(ctx, venue, keeper, message);
        return hand.amend(ctx, account, message);
      },
    }),
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgPlaceOco",
      request: MsgPlaceOco,
      response: MsgPlaceOcoResponse,
      signers: (message) => [message.sender],
      lane: ({ legs }) => slowest(legs.map(orderLane)),
      listed: (ctx, { legs }) => listed(ctx, legs),
      validate(message) {
        checkTrader(venue, message);
        parseOco(message);
      },
      handle(ctx, message) {
        const { account, hand } = traderOf(ctx, venue, keeper, message);
        return hand.placeOco(ctx, account, parseOco(message));
      },
    }),
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgPlaceCombo",
      request: MsgPlaceCombo,
      response: MsgPlaceComboResponse,
      signers: (message) => [message.sender],
      lane: () => LANE_OTHER,
      validate(message) {
        checkTrader(venue, message);
        parseCombo(message);
      },
      handle(ctx, message) {
        const { account, hand } = traderOf(ctx, venue, keeper, message);
        return hand.placeCombo(ctx, account, parseCombo(message));
      },
    }),
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgSetDeadMan",
      request: MsgSetDeadMan,
      response: MsgSetDeadManResponse,
      signers: (message) => [message.sender],
      lane: () => LANE_CANCEL,
      // For every market: a renewal that a proposer could leave out until the time has come would be its way to cancel others' orders.
      listed: (ctx) => listed(ctx, []),
      validate: (message) => checkTrader(venue, message),
      handle(ctx, message) {
        const { account, hand } = traderOf(ctx, venue, keeper, message);
        hand.setDeadMan(ctx, account, message.deadlineMs);
        return {};
      },
    }),
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgCreateMarket",
      request: MsgCreateMarket,
      response: MsgCreateMarketResponse,
      signers: (message) => [message.authority],
      validate(message) {
        addresses.parse(message.authority);
        if (message.market === undefined) throw refuse("invalidTerms", "expected a market");
        validateMarket(message.market);
      },
      handle(ctx, message) {
        requireAuthority(ctx, message.authority);
        if (message.market === undefined) throw refuse("invalidTerms", "expected a market");
        return { id: keeper.createMarket(ctx, message.market) };
      },
    }),
    onMessage({
      typeUrl: "/keel.derivatives.v1.MsgUpdateMarket",
      request: MsgUpdateMarket,
      response: MsgUpdateMarketResponse,
      signers: (message) => [message.authority],
      validate(message) {
        addresses.parse(message.authority);
        if (message.terms !== undefined) validateTerms(message.terms);
      },
      handle(ctx, message) {
        requireAuthority(ctx, message.authority);
        keeper.updateMarket(ctx, message.market, message);
        return {};
      },
    }),
    onParamsUpdate({
      typeUrl: "/keel.derivatives.v1.MsgUpdateParams",
      request: MsgUpdateParams,
      response: MsgUpdateParamsResponse,
      ...{ addresses, requireAuthority, refuse },
      validate: (params) => validateParams(params),
      set: (ctx, params) => venue.state.params.set(ctx, params),
    }),
    ...instrumentMessages(keeper, addresses, requireAuthority),
  ];
}

/** Queries of orders that wait, and of dead men. */
import {
  QueryDeadManRequest,
  QueryDeadManResponse,
  QueryWaitingOrdersRequest,
  QueryWaitingOrdersResponse,
  type WaitingOrderView,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import { TriggerKind } from "@keel/proto/gen/keel/derivatives/v1/types";
import type { ReadContext } from "../../kit/context.ts";
import { assert } from "../../kit/errors.ts";
import type { QueryRoute } from "../../kit/module.ts";
import { onQuery } from "../../kit/module.ts";
import { formatPrice, formatSize, type Instrument } from "../instruments.ts";
import type { Venue } from "../venue.ts";
import { trailTrigger } from "./trails.ts";
import { sliceAt } from "./twap.ts";
import { stopOf, trails, waitingSide } from "./waiting-index.ts";

const PATH = "/keel.derivatives.v1.Query";

/** A waiting order by id, or undefined. */
export function waitingView(
  ctx: ReadContext,
  venue: Venue,
  instrument: Instrument,
  id: number,
): WaitingOrderView | undefined {
  const index = venue.waiting.of(ctx, instrument.id);
  const key = index.keyOf(id);
  if (key === undefined) return undefined;
  const order = venue.state.waiting.get(ctx, key);
  assert(order !== undefined, `order ${id} is in the index but not in state`);
  const side = waitingSide(order);
  const trailing = trails(order);
  const best = trailing ? index.trails[side].bestOf(id) : 0;
  const trigger = trailing ? trailTrigger(side, best, stopOf(order)) : Number(order.triggerTicks);
  const price = (ticks: number): string => (ticks <= 0 ? "" : formatPrice(instrument, ticks));
  return {
    market: instrument.symbol,
    orderId: order.id,
    owner: venue.addresses.format(order.owner),
    subaccount: order.subaccount,
    side: order.side,
    kind: order.kind,
    type: order.type,
    price: price(Number(order.priceTicks)),
    size: formatSize(instrument, order.sizeLots),
    remainingSize: formatSize(instrument, order.remainingLots),
    postOnly: order.postOnly,
    reduceOnly: order.reduceOnly,
    clientId: order.clientId,
    goodTilMs: order.goodTilMs,
    goodTilHeight: order.goodTilHeight,
    triggerPrice: price(trigger),
    bestMark: price(best),
    ocoId: order.ocoId,
    parentId: order.parentId,
    slicesLeft:
      order.kind === TriggerKind.TRIGGER_KIND_TWAP
        ? order.slices - sliceAt(order, Number(order.nextMs))
        : 0,
    nextMs: order.nextMs,
    due: order.dueSequence !== 0n,
    maxSlippagePpm: order.maxSlippagePpm,
  };
}

export function waitingQueries(
  venue: Venue,
  instruments: (ctx: ReadContext, symbol: string) => readonly Instrument[],
): readonly QueryRoute[] {
  return [
    onQuery({
      path: `${PATH}/WaitingOrders`,
      request: QueryWaitingOrdersRequest,
      response: QueryWaitingOrdersResponse,
      derives: true,
      handle(ctx, { market, owner, subaccount }) {
        const account = venue.accounts.of(owner, subaccount);
        const views = instruments(ctx, market).flatMap((instrument) =>
          venue.waiting
            .of(ctx, instrument.id)
            .ordersOf(account)
            .map((id) => waitingView(ctx, venue, instrument, id)),
        );
        return { orders: views.filter((view) => view !== undefined) };
      },
    }),
    onQuery({
      path: `${PATH}/DeadMan`,
      request: QueryDeadManRequest,
      response: QueryDeadManResponse,
      handle(ctx, { owner, subaccount }) {
        const account = venue.accounts.of(owner, subaccount);
        return { deadlineMs: venue.state.deadMen.get(ctx, account)?.deadlineMs ?? 0n };
      },
    }),
  ];
}

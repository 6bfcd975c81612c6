/** One order by its id or its client id, and a book order by order; one call each. */
import type { QueryBookOrdersResponse } from "@keel/proto/gen/keel/derivatives/v1/query";
import { KeelQueryError } from "./errors.ts";
import type { KeelClient } from "./keel-client.ts";
import { orderRef } from "./orders.ts";
import { methods } from "./queries.ts";
import { type OpenOrder, openOrder, type WaitingOrder, waitingOrder } from "./views.ts";

export type FoundOrder =
  | { readonly state: "open"; readonly order: OpenOrder }
  | { readonly state: "waiting"; readonly order: WaitingOrder };

/** The order's id, or whose client id it is. */
export type OrderName =
  | { readonly market: string; readonly orderId: bigint }
  | {
      readonly market: string;
      readonly owner: string;
      /** Default 0. */
      readonly subaccount?: number;
      readonly clientId: string;
    };

/** How a node tells gRPC's NotFound. */
const NOT_FOUND = 22;

/** An order that rests or waits; undefined when it is neither, because it is filled, gone or never was. */
export async function findOrder(
  chain: KeelClient,
  name: OrderName,
): Promise<FoundOrder | undefined> {
  const { clientId, market, orderId } = orderRef(name);
  const { owner, subaccount } =
    "owner" in name
      ? { owner: name.owner, subaccount: name.subaccount ?? 0 }
      : { owner: "", subaccount: 0 };
  try {
    const asked = { market, orderId, owner, subaccount, clientId };
    const { order, waiting } = await chain.ask(methods.order, asked);
    if (order !== undefined) return { state: "open", order: openOrder(order) };
    if (waiting !== undefined) return { state: "waiting", order: waitingOrder(waiting) };
    return undefined;
  } catch (error) {
    if (error instanceof KeelQueryError && error.codespace === "sdk" && error.code === NOT_FOUND)
      return undefined;
    throw error;
  }
}

/** Orders of a book in the sequence of their execution, with sequence and checksum; `limit` per side, at most 1000. */
export async function bookOrders(
  chain: KeelClient,
  market: string,
  limit: number = 100,
): Promise<QueryBookOrdersResponse> {
  return await chain.ask(methods.bookOrders, { market, limit });
}

import {
  OrderView,
  QueryOrderRequest,
  QueryOrderResponse,
  WaitingOrderView,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import { Side, TriggerKind } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import { KeelQueryError } from "./errors.ts";
import type { KeelClient } from "./keel-client.ts";
import { findOrder } from "./order-lookup.ts";

/** A chain that answers one query, and writes down what it was asked. */
function chainOf(answer: Partial<QueryOrderResponse> | Error) {
  const asked: QueryOrderRequest[] = [];
  const ask = async (_method: unknown, request: QueryOrderRequest): Promise<QueryOrderResponse> => {
    asked.push(QueryOrderRequest.decode(QueryOrderRequest.encode(request).finish()));
    if (answer instanceof Error) throw answer;
    return QueryOrderResponse.fromPartial(answer);
  };
  return { chain: { ask } as unknown as KeelClient, asked };
}

const refusal = (codespace: string, code: number): Error =>
  new KeelQueryError("/path", { codespace, code, log: "no" });

describe("an order that is looked for", () => {
  it("rests or waits, by its id or by whose client id it is", async () => {
    const order = OrderView.fromPartial({ orderId: 7n, side: Side.SIDE_SELL, price: "60000" });
    const resting = chainOf({ order });
    expect(await findOrder(resting.chain, { market: "X", orderId: 7n })).toMatchObject({
      state: "open",
      order: { orderId: 7n, side: "sell", price: "60000" },
    });
    expect(resting.asked).toMatchObject([{ market: "X", orderId: 7n, owner: "", clientId: "" }]);
    const kind = TriggerKind.TRIGGER_KIND_STOP;
    const waiting = chainOf({ waiting: WaitingOrderView.fromPartial({ orderId: 8n, kind }) });
    const name = { market: "X", owner: "keel1me", subaccount: 3, clientId: "mine" };
    expect(await findOrder(waiting.chain, name)).toMatchObject({
      state: "waiting",
      order: { orderId: 8n, kind: "stop" },
    });
    expect(waiting.asked).toMatchObject([{ ...name, orderId: 0n }]);
  });

  it("is none when the chain knows it no longer, and only then", async () => {
    const name = { market: "X", orderId: 7n };
    expect(await findOrder(chainOf(refusal("sdk", 22)).chain, name)).toBeUndefined();
    for (const other of [refusal("sdk", 6), refusal("margin", 22)])
      await expect(findOrder(chainOf(other).chain, name)).rejects.toBe(other);
  });
});

import type { Event } from "@keel/consensus/wire/abci";
import { ModuleError } from "@keel/modules/kit/errors";
import {
  QueryOrderResponse,
  QueryOrdersResponse,
  QueryWaitingOrdersResponse,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import { describe, expect, it } from "vitest";
import { Departures } from "./departures.ts";
import type { At } from "./operation.ts";

function event(type: string, values: Readonly<Record<string, string>>): Event {
  const attributes = Object.entries(values).map(([key, value]) => ({ key, value, index: true }));
  return { type, attributes };
}

/** A chain on which orders 1 and 2 are a pair, and `open` says which of them are there. */
function chain(open: { count: number }): Pick<At, "keel" | "ctx"> {
  const waiting = { market: "M", orderId: 1n, ocoId: 2n };
  const routes: Record<string, () => Uint8Array> = {
    Orders: () =>
      QueryOrdersResponse.encode({
        orders: QueryOrdersResponse.fromPartial({ orders: [{ orderId: 2n }] }).orders.slice(
          0,
          open.count,
        ),
      }).finish(),
    WaitingOrders: () => QueryWaitingOrdersResponse.encode({ orders: [] }).finish(),
    Order() {
      if (open.count === 0) throw new ModuleError("sdk", 38, "no such open order");
      return QueryOrderResponse.encode(QueryOrderResponse.fromPartial({ waiting })).finish();
    },
  };
  const queries = {
    get: (path: string) => ({ handle: routes[path.split("/").pop() ?? ""] }),
  };
  return { keel: { queries }, ctx: {} } as unknown as Pick<At, "keel" | "ctx">;
}

const cancelled = (id: string, reason: string): Event =>
  event("order_cancelled", { market: "M", order_id: id, reason });
const placed = event("order_waiting", { market: "M", order_id: "1" });

describe("departures", () => {
  it("miss the orders that a dead man left", () => {
    const fired = [event("dead_man_fired", { account: "keel1a/3" })];
    expect(new Departures().fault(fired, chain({ count: 0 }))).toBeNull();
    expect(new Departures().fault(fired, chain({ count: 1 }))).toContain("left 1 orders");
  });

  it("miss the other order of a pair that its owner or time took, and of no other", () => {
    for (const id of ["1", "2"]) {
      const open = { count: 1 };
      const departures = new Departures();
      expect(departures.fault([placed], chain(open))).toBeNull();
      expect(departures.fault([cancelled(id, "reduce_only")], chain(open))).toBeNull();
      expect(departures.fault([cancelled("7", "user")], chain(open))).toBeNull();
      expect(departures.fault([cancelled(id, "expired")], chain(open))).toContain("its pair");
      open.count = 0;
      expect(departures.fault([cancelled(id, "user")], chain(open))).toBeNull();
    }
  });

  it("forget a market that was removed", () => {
    const departures = new Departures();
    departures.fault([placed], chain({ count: 1 }));
    departures.fault([event("market_removed", { market: "M" })], chain({ count: 1 }));
    expect(departures.fault([cancelled("1", "user")], chain({ count: 1 }))).toBeNull();
  });
});

import { describe, expect, test } from "vitest";
import { endOf, type OrderPath, pathAfter, pathOf } from "./order-end.ts";
import type { TxEvent } from "./tx-result.ts";

const MARKET = "BTC-PERP";

function event(type: string, attributes: Readonly<Record<string, string>>): TxEvent {
  const all = { market: MARKET, ...attributes };
  return { type, attributes: Object.entries(all).map(([key, value]) => ({ key, value })) };
}

const own = { account: "keel1x/0", client_id: "a", order_id: "7" };

function trade(side: "maker" | "taker", size: string, price: string, fee: string): TxEvent {
  const other = side === "maker" ? "taker" : "maker";
  return event("trade", {
    size,
    price,
    [`${side}_order_id`]: "7",
    [`${side}_fee`]: fee,
    [`${other}_order_id`]: "8",
    [`${other}_fee`]: "99",
  });
}

function start(orderId: bigint): OrderPath {
  return pathOf({ market: MARKET, account: "keel1x/0", clientId: "a", orderId });
}

/** After block upon block. */
function follow(orderId: bigint, ...blocks: readonly (readonly TxEvent[])[]): OrderPath {
  return blocks.reduce(pathAfter, start(orderId));
}

describe("an order followed to its end", () => {
  test("has taken, rested and been taken, with fees and rebates, when it is filled", () => {
    const path = follow(
      7n,
      [trade("taker", "0.5", "100", "0.02"), event("order_placed", { ...own, size: "1.5" })],
      [event("order_filled", { ...own, order_id: "8" }), event("order_filled", { market: "ETH" })],
      [trade("maker", "1", "101", "-0.005")],
    );
    expect(endOf(path, 3)).toBeNull();
    const end = pathAfter(path, [trade("maker", "0.5", "101", "0"), event("order_filled", own)]);
    expect(endOf(end, 4)).toEqual({
      status: "filled",
      reason: "",
      orderId: 7n,
      filledSize: "2",
      averagePrice: "100.75",
      filledQuote: "201.5",
      fills: 3,
      fee: "0.015",
      height: 4,
    });
  });

  test("that waited is filled when its trigger has sent all of it off, and not while some of it waits on", () => {
    const waits = event("order_waiting", { ...own, size: "2" });
    const fired = event("order_triggered", own);
    const half = trade("taker", "1", "99", "0.1");
    const waitsOn = event("order_waiting", { ...own, size: "1" });
    const path = follow(7n, [waits], [fired, half, waitsOn]);
    expect(endOf(path, 2)).toBeNull();
    expect(endOf(pathAfter(path, [fired, half]), 3)).toMatchObject({
      status: "filled",
      filledSize: "2",
      fills: 2,
    });
    const rests = event("order_placed", { ...own, size: "1" });
    expect(endOf(follow(7n, [waits], [fired, half, rests]), 2)).toBeNull();
    const cut = event("order_reduced", { ...own, remaining: "1" });
    expect(endOf(follow(7n, [waits], [cut], [fired, half]), 3)?.status).toBe("filled");
  });

  test("ends with the reason of what took it out, fills of the same block included", () => {
    const gone = event("order_cancelled", { ...own, size: "1", reason: "margin" });
    const path = follow(7n, [gone, trade("maker", "1", "100", "0")]);
    expect(endOf(path, 1)).toMatchObject({
      status: "cancelled",
      reason: "margin",
      filledSize: "1",
    });
  });

  test("of an auction is known by its client id until it has an id", () => {
    const before = event("order_cancelled", { ...own, order_id: "0", reason: "user" });
    const older = event("order_cancelled", { ...own, order_id: "5", reason: "user" });
    const accepted = event("order_accepted", { account: "keel1x/0", client_id: "a" });
    const enters = event("order_placed", { ...own, size: "2" });
    const fill = event("auction_fill", { ...own, size: "1", price: "100", fee: "0.5" });
    const other = event("auction_fill", { ...own, account: "keel1y/0", order_id: "9", size: "1" });
    const path = follow(0n, [before, older, accepted, other, enters, fill]);
    expect(path).toMatchObject({ orderId: 7n, end: null, fills: 1 });
    const end = pathAfter(path, [fill, event("order_filled", own)]);
    expect(endOf(end, 2)).toMatchObject({ status: "filled", filledSize: "2", fee: "1" });
    const never = follow(0n, [accepted, event("order_cancelled", { ...own, order_id: "0" })]);
    expect(endOf(never, 1)).toMatchObject({ status: "cancelled", orderId: 0n, averagePrice: "" });
  });

  test("sells its slices in auctions under ids of their own", () => {
    const waits = event("order_waiting", { ...own, size: "2" });
    const fill = (id: string) =>
      event("auction_fill", { ...own, client_id: "", order_id: id, size: "1", price: "100" });
    const out = event("order_cancelled", { ...own, client_id: "", order_id: "9", size: "0.5" });
    const slice = (id: string) => event("twap_slice", { ...own, slice_order_id: id, size: "1" });
    const withFee = (one: TxEvent) => ({
      ...one,
      attributes: [...one.attributes, { key: "fee", value: "0.5" }],
    });
    const path = follow(0n, [waits, withFee(fill("8")), withFee(fill("5")), slice("8")]);
    expect(path).toMatchObject({ orderId: 7n, fills: 1, end: null });
    const last = [withFee(fill("9")), out, slice("9"), event("order_filled", own)];
    expect(endOf(pathAfter(path, last), 2)).toMatchObject({
      status: "filled",
      filledSize: "2",
      fee: "1",
      fills: 2,
    });
  });
});

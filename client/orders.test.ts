import { OrderType, Side, TimeInForce } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, test } from "vitest";
import {
  formatMoney,
  isMultiple,
  readDecimal,
  roundToStep,
  timesStep,
  toQuanta,
} from "./decimal.ts";
import type { KeelClient } from "./keel-client.ts";
import { KeelMessages } from "./messages.ts";
import { amendmentOf, comboMessage, newOrder, type OrderRequest, orderRef } from "./orders.ts";

const steps = { symbol: "BTC-USD-PERP", tickSize: "0.5", lotSize: "0.001" };
const order: OrderRequest = {
  market: "BTC-USD-PERP",
  side: "buy",
  price: "60000.50",
  size: "01.20",
};

describe("orders", () => {
  test("decimals leave canonical, and kinds follow from what is given", () => {
    expect(newOrder(order, steps)).toMatchObject({
      side: Side.SIDE_BUY,
      type: OrderType.ORDER_TYPE_LIMIT,
      price: "60000.5",
      size: "1.2",
      timeInForce: TimeInForce.TIME_IN_FORCE_UNSPECIFIED,
    });
    const market = newOrder({ market: order.market, side: "sell", size: "1" }, steps);
    expect(market).toMatchObject({ type: OrderType.ORDER_TYPE_MARKET, price: "" });
  });

  test.each<[string, Partial<OrderRequest>, string, string]>([
    ["a price off the tick", { price: "60000.3" }, "price", "60000 or 60000.5"],
    ["a price below the first tick", { price: "0.3" }, "price", "such as 0.5"],
    ["a zero price", { price: "0" }, "price", "such as 0.5"],
    ["a size off the lot", { size: "0.0005" }, "size", "such as 0.001"],
    ["a negative size", { size: "-1" }, "size", "expected a decimal"],
    ["an exponent", { size: "1e3" }, "size", "expected a decimal"],
    ["a number", { size: 1 as unknown as string }, "size", "expected a decimal"],
    [
      "no price on a limit",
      { type: "limit", price: undefined as never },
      "price",
      "expected a price",
    ],
    [
      "a post-only that cannot rest",
      { postOnly: true, timeInForce: "ioc" },
      "postOnly",
      "good-til",
    ],
    [
      "a market order that rests",
      { type: "market", timeInForce: "gtc" },
      "timeInForce",
      "ioc or fok",
    ],
    ["a long client id", { clientId: "x".repeat(33) }, "clientId", "at most 32"],
    ["a client id beyond ASCII", { clientId: "é" }, "clientId", "printable ASCII"],
    ["a client id that the chain refuses", { clientId: "my order" }, "clientId", "no space"],
    ["a fraction of a millisecond", { goodTilMs: 1.5 }, "goodTilMs", "whole milliseconds"],
    ["an unknown side", { side: "hold" as "buy" }, "side", `"buy" or "sell"`],
  ])("%s is refused, naming the field", (_, change, field, message) => {
    expect(() => newOrder({ ...order, ...change }, steps)).toThrow(
      expect.objectContaining({ field, message: expect.stringContaining(message) }),
    );
  });

  test("a cancel names one id, not none and not both", () => {
    const market = order.market;
    expect(orderRef({ market, orderId: 3n })).toEqual({ market, orderId: 3n, clientId: "" });
    for (const ids of [{}, { orderId: 1n, clientId: "a" }, { orderId: 0n }, { clientId: "" }])
      expect(() => orderRef({ market, ...ids })).toThrow("expected");
  });
});

describe("orders with parts", () => {
  const market: OrderRequest = { market: order.market, side: "sell", size: "2" };

  test("wait for a trigger, trail the mark, come in slices, bring a bracket, or show a part", () => {
    expect(
      newOrder({ ...market, trigger: { kind: "stop", price: "59000.50" } }, steps),
    ).toMatchObject({ type: OrderType.ORDER_TYPE_MARKET, trigger: { kind: 1, price: "59000.5" } });
    const trailing = { kind: "trailing-stop" } as const;
    expect(newOrder({ ...market, trigger: { ...trailing, distance: "100" } }, steps)).toMatchObject(
      { trigger: { kind: 3, price: "", trail: "100", trailPpm: 0 } },
    );
    expect(
      newOrder({ ...market, trigger: { ...trailing, distancePpm: 2500 } }, steps),
    ).toMatchObject({ trigger: { kind: 3, trail: "", trailPpm: 2500 } });
    expect(
      newOrder({ ...market, maxSlippagePpm: 500, twap: { slices: 5, intervalMs: 30_000 } }, steps),
    ).toMatchObject({ maxSlippagePpm: 500, twap: { slices: 5, intervalMs: 30_000n } });
    const bracket = {
      takeProfit: { triggerPrice: "61000", price: "60900" },
      stopLoss: { triggerPrice: "59000", maxSlippagePpm: 9000, clientId: "sl" },
    };
    expect(newOrder({ ...order, bracket }, steps).bracket).toEqual({
      takeProfit: { triggerPrice: "61000", price: "60900", maxSlippagePpm: 0, clientId: "" },
      stopLoss: { triggerPrice: "59000", price: "", maxSlippagePpm: 9000, clientId: "sl" },
    });
    expect(
      newOrder(
        { ...order, displaySize: "0.10", goodTilHeight: 77, selfTradePrevention: "decrement" },
        steps,
      ),
    ).toMatchObject({ displaySize: "0.1", goodTilHeight: 77n, selfTradePrevention: 3 });
    expect(newOrder(order, steps)).toMatchObject({
      trigger: undefined,
      bracket: undefined,
      twap: undefined,
    });
  });

  test.each<[string, Partial<OrderRequest>, string]>([
    ["a trigger off the tick", { trigger: { kind: "stop", price: "0.3" } }, "price"],
    ["a trigger of no kind", { trigger: { kind: "limit" as "stop", price: "1" } }, "trigger"],
    [
      "a distance of the whole price",
      { trigger: { kind: "trailing-stop", distancePpm: 1_000_000 } },
      "trigger",
    ],
    ["an empty bracket", { bracket: {} }, "bracket"],
    ["one slice", { twap: { slices: 1, intervalMs: 1000 } }, "twap"],
    ["slices too close together", { twap: { slices: 2, intervalMs: 10 } }, "twap"],
    ["a fractional slippage", { maxSlippagePpm: 0.5 }, "maxSlippagePpm"],
    ["a display size off the lot", { displaySize: "0.0001" }, "size"],
    ["a height of nothing", { goodTilHeight: 0 }, "goodTilHeight"],
  ])("%s is refused, naming the field", (_, change, field) => {
    expect(() => newOrder({ ...order, ...change }, steps)).toThrow(
      expect.objectContaining({ field }),
    );
  });

  test("amendments name one order and something to change", () => {
    const named = { market: order.market, clientId: "a" };
    expect(amendmentOf({ ...named, size: "01.5", triggerPrice: "59000" }, steps)).toMatchObject({
      clientId: "a",
      price: "",
      size: "1.5",
      triggerPrice: "59000",
    });
    expect(() => amendmentOf(named, steps)).toThrow("expected another price");
    expect(() => amendmentOf({ ...named, price: "0.3" }, steps)).toThrow("price");
    expect(() => amendmentOf({ ...named, orderId: 1n, price: "1" }, steps)).toThrow("either");
  });

  test("batches hold what the chain takes: a hundred cancels, a hundred amendments, a hundred orders", async () => {
    const chain = { steps: async () => steps } as unknown as KeelClient;
    const messages = new KeelMessages(chain, "keel1me");
    const cancel = { market: order.market, orderId: 1n };
    const batch = (n: number) => ({
      cancels: Array.from({ length: n }, () => cancel),
      amendments: Array.from({ length: 100 }, () => ({ ...cancel, size: "1" })),
      orders: Array.from({ length: 100 }, () => order),
    });
    const { value } = await messages.batch(batch(100));
    expect([value.cancels.length, value.amendments.length, value.orders.length]).toEqual([
      ...[100, 100, 100],
    ]);
    await expect(messages.batch(batch(101))).rejects.toThrow("got 101, 100, 100");
    await expect(messages.batch({})).rejects.toThrow("expected something");
  });

  test("combinations carry a net limit with its sign", () => {
    const legs = [
      { market: "A", side: "buy", size: "1" },
      { market: "B", side: "sell", size: "2" },
    ] as const;
    const from = { sender: "keel1", subaccount: 0 };
    const net = (netLimit: string) =>
      comboMessage(from, { legs, netLimit }, [steps, steps]).netLimit;
    expect(net("-12.50")).toBe("-12.5");
    expect(net("012")).toBe("12");
    expect(net("-0")).toBe("0");
    expect(() => net("1e3")).toThrow("netLimit");
  });
});

describe("decimals", () => {
  test("money is whole units in text and quanta in bigint", () => {
    expect(toQuanta("amount", "1000.5")).toBe(1_000_500_000n);
    expect(toQuanta("amount", 7n)).toBe(7n);
    expect(formatMoney(-1_500_000n)).toBe("-1.5");
    for (const bad of ["0", "-1", "0.0000001", "", "1.", ".5", "9".repeat(70), 0n, -1n])
      expect(() => toQuanta("amount", bad)).toThrow("amount:");
  });

  test("steps are exact at any number of places", () => {
    expect(readDecimal("x", "00120.0300")).toEqual({ digits: 12_003n, places: 2 });
    expect(isMultiple("x", "123456789012345678901234567890.5", "0.1")).toBe(true);
    expect(isMultiple("x", "0.3", "0.2")).toBe(false);
    expect(isMultiple("x", "150", "50")).toBe(true);
    expect(roundToStep("101.26", "0.5", "down")).toBe("101");
    expect(roundToStep("101.26", "0.5", "up")).toBe("101.5");
    expect(roundToStep("149", "50", "up")).toBe("150");
    expect(timesStep(-3n, "0.25")).toBe("-0.75");
  });
});

import * as tx from "@keel/proto/gen/keel/derivatives/v1/tx";
import { describe, expect, it } from "vitest";
import { createFeeWorld, type FeeWorld, SYMBOL } from "../../testing/fee-world.ts";
import { DERIVATIVES_CODES } from "../errors.ts";

const EXHAUSTED = { codespace: "derivatives", code: DERIVATIVES_CODES.actionBudgetExhausted };

/** Three actions, one more per 10,000 units traded, one per 10 seconds beyond. */
function budgeted(initial = 3n): FeeWorld {
  const world = createFeeWorld();
  world.setFees({
    actionBudget: { initial, quantaPerAction: 10_000_000_000n, trickleMs: 10_000n },
  });
  return world;
}

function exhausted(world: FeeWorld, work: () => unknown): void {
  const before = world.stored();
  expect(work).toThrow(expect.objectContaining(EXHAUSTED));
  expect(world.stored()).toEqual(before);
}

const quote = (world: FeeWorld, id: string) => world.send(1, `buy 0.01 @ 59000 id=${id}`);

/** Takes the three actions and the one beyond them. */
function exhaust(world: FeeWorld): void {
  for (const id of ["a", "b", "c", "d"]) quote(world, id);
}

const cancel = (world: FeeWorld, clientId: string) =>
  world.message(
    "MsgCancelOrder",
    { sender: world.address(1), subaccount: 0, market: SYMBOL, orderId: 0n, clientId },
    tx.MsgCancelOrderResponse,
  );

describe("the action budget", () => {
  it("is refused with what to do, and lets one action through now and then", () => {
    const world = budgeted();
    exhaust(world);
    const { taken, limit, trickleAtMs } = world.trader(1).budget ?? {};
    expect([taken, limit]).toEqual([3n, 3n]);
    exhausted(world, () => quote(world, "e"));
    expect(() => quote(world, "e")).toThrow(
      `3 of 3 order actions are taken, expected room for 1: trade (one more per 10000), place a single order from ${trickleAtMs} ms on, or cancel`,
    );
    world.block(9);
    exhausted(world, () => quote(world, "e"));
    world.block(1);
    expect(world.nowMs()).toBe(Number(trickleAtMs));
    quote(world, "e");
    exhausted(world, () => quote(world, "f"));
    expect(world.violation()).toBeNull();
  });

  it("grows with what the owner trades, on either side", () => {
    const world = budgeted();
    exhaust(world);
    world.send(2, "sell 0.4 @ 60000");
    expect(() => world.send(1, "buy 0.4 @ 60000")).toThrow(expect.objectContaining(EXHAUSTED));
    // 0.01 at 59,000 each: 2,360 of 10,000 units.
    world.send(2, "sell 0.04 @ 59000");
    expect(world.trader(1).budget?.limit).toBe(3n);
    world.block(10);
    world.send(1, "buy 0.4 @ 60000");
    expect(world.trader(1)).toMatchObject({
      volumeToday: "26360000000",
      budget: { taken: 3n, limit: 5n },
    });
    quote(world, "e");
    quote(world, "f");
    exhausted(world, () => quote(world, "g"));
  });

  it("never holds a cancel, and counts none", () => {
    const world = budgeted();
    exhaust(world);
    exhausted(world, () => quote(world, "e"));
    for (const id of ["a", "b", "c", "d"]) cancel(world, id);
    expect(world.trader(1).budget?.taken).toBe(3n);
    exhausted(world, () => quote(world, "e"));
  });

  it("lets reduce-only orders go up to twice as far", () => {
    const world = budgeted(2n);
    world.send(2, "sell 0.1 @ 60000");
    world.send(1, "buy 0.1 @ 60000");
    quote(world, "a");
    quote(world, "b");
    exhausted(world, () => quote(world, "c"));
    expect(world.trader(1).budget).toMatchObject({ taken: 2n, limit: 2n, reduceOnlyLimit: 4n });
    for (const id of ["r", "s"]) world.send(1, `sell 0.01 @ 61000 reduce id=${id}`);
    exhausted(world, () => world.send(1, "sell 0.01 @ 61000 reduce"));
  });

  it("counts what a message makes the chain do, and nothing when it is refused", () => {
    const world = budgeted(10n);
    const taken = (): bigint => world.trader(1).budget?.taken ?? -1n;
    expect(() => world.send(1, "buy 0.01 @ 90000")).toThrow();
    expect(taken()).toBe(0n);
    world.send(1, "buy 0.03 @ 60000 twap=3/1000");
    expect(taken()).toBe(3n);
    exhausted(world, () => world.send(1, "buy 0.08 @ 60000 twap=8/1000"));
    const order = (id: string) => ({
      ...tx.NewOrder.fromPartial({ market: SYMBOL, side: 1, type: 1, size: "0.01", clientId: id }),
      price: "59000",
    });
    const batch = {
      sender: world.address(1),
      subaccount: 0,
      cancels: [],
      amendments: [tx.Amendment.fromPartial({ market: SYMBOL, clientId: "none", size: "0.02" })],
      orders: ["a", "b", "a", "c"].map(order),
    };
    const placed = world.message("MsgBatchOrders", batch, tx.MsgBatchOrdersResponse);
    expect(placed.orders.map(({ code }) => code)).toEqual([0, 0, 16, 0]);
    expect(taken()).toBe(6n);
    const amendment = { ...tx.Amendment.fromPartial({ clientId: "a", size: "0.02" }) };
    world.message(
      "MsgAmendOrder",
      { sender: world.address(1), subaccount: 0, ...amendment, market: SYMBOL },
      tx.MsgAmendOrderResponse,
    );
    expect(taken()).toBe(7n);
    const legs = ["p", "q"].map((id, n) => ({
      ...order(id),
      side: 2,
      ...(n === 0
        ? { price: "61000" }
        : { price: "", type: 2, trigger: { kind: 1, price: "58000" } }),
    }));
    const pair = {
      sender: world.address(1),
      subaccount: 0,
      legs: legs.map((leg) => tx.NewOrder.fromPartial(leg as tx.NewOrder)),
    };
    world.message("MsgPlaceOco", pair, tx.MsgPlaceOcoResponse);
    expect(taken()).toBe(9n);
    exhausted(world, () => world.message("MsgPlaceOco", pair, tx.MsgPlaceOcoResponse));
    expect(world.violation()).toBeNull();
  });
});

import { describe, expect, test } from "vitest";
import { awaitCancelled, awaitFate, collectedFate, fateAfter, isDecided } from "./auctions.ts";
import { KeelConnectionError } from "./errors.ts";
import { IDLE_BLOCKS_MAX } from "./limits.ts";
import type { TxEvent } from "./tx-result.ts";

const order = { market: "BTC-PERP", account: "keel1x/0", clientId: "a" };

function event(type: string, attributes: Readonly<Record<string, string>>): TxEvent {
  const all = { market: "BTC-PERP", account: "keel1x/0", client_id: "a", ...attributes };
  return { type, attributes: Object.entries(all).map(([key, value]) => ({ key, value })) };
}

const placed = event("order_placed", { order_id: "7", size: "3" });
const fill = event("auction_fill", {
  order_id: "7",
  size: "1",
  price: "60000",
  fee: "18",
  remaining: "2",
});

describe("the fate of a collected order", () => {
  test("is read from the events of its block, and of nobody else's order", () => {
    const others = [
      event("auction_fill", { client_id: "b", order_id: "8", size: "9", remaining: "0" }),
      event("order_cancelled", { account: "keel1y/0", reason: "immediate" }),
      event("order_cancelled", { market: "ETH-PERP", reason: "immediate" }),
      event("funding_rate", {}),
    ];
    expect(fateAfter(collectedFate, order, [placed, ...others])).toMatchObject({
      status: "open",
      orderId: 7n,
      filledSize: "0",
      remainingSize: "3",
    });
    expect(fateAfter(collectedFate, order, [placed, fill])).toMatchObject({
      status: "open",
      filledSize: "1",
      price: "60000",
      fee: "18",
      remainingSize: "2",
    });
    const rest = event("order_cancelled", { order_id: "7", size: "2", reason: "immediate" });
    expect(fateAfter(collectedFate, order, [placed, fill, rest])).toMatchObject({
      status: "cancelled",
      filledSize: "1",
      remainingSize: "0",
      reason: "immediate",
    });
    const whole = event("auction_fill", { order_id: "7", size: "3", remaining: "0" });
    expect(fateAfter(collectedFate, order, [placed, whole]).status).toBe("filled");
    expect(fateAfter(collectedFate, order, others)).toEqual(collectedFate);
  });

  test("is to wait for a trigger, and then what an auction makes of it under its id", () => {
    const waits = event("order_waiting", { order_id: "7", size: "3" });
    const waiting = fateAfter(collectedFate, order, [waits]);
    expect(waiting).toMatchObject({ status: "waiting", orderId: 7n, remainingSize: "3" });
    expect(isDecided({ round: 5n }, false)(waiting, 5)).toBe(true);
    expect(isDecided({ round: 5n }, true)(waiting, 5)).toBe(false);
    const fired = fateAfter(waiting, order, [event("order_triggered", { order_id: "7" })]);
    expect(fired).toMatchObject({ status: "collected", orderId: 7n });
    expect(fateAfter(fired, order, [placed, fill])).toMatchObject({
      status: "open",
      price: "60000",
    });
  });

  test("knows what own orders or a smaller position have taken off, which is told by its id alone", () => {
    const reduced = (id: string, remaining: string): TxEvent => {
      const { attributes, type } = event("order_reduced", { order_id: id, remaining });
      return { type, attributes: attributes.filter(({ key }) => key !== "client_id") };
    };
    expect(fateAfter(collectedFate, order, [placed, reduced("7", "1.5")])).toMatchObject({
      status: "open",
      filledSize: "0",
      remainingSize: "1.5",
    });
    expect(fateAfter(collectedFate, order, [placed, fill, reduced("7", "1")])).toMatchObject({
      filledSize: "1",
      remainingSize: "1",
    });
    const another = [reduced("8", "1"), placed, reduced("8", "1")];
    expect(fateAfter(collectedFate, order, another).remainingSize).toBe("3");
  });

  test("is waited for block by block, also those that are not there yet", async () => {
    let asked = 0;
    const blocks: Readonly<Record<number, readonly TxEvent[]>> = { 5: [placed], 6: [], 7: [fill] };
    const events = async (height: number): Promise<readonly TxEvent[]> => {
      asked += 1;
      if (asked < 3) throw new KeelConnectionError("rpc", "height 5 is not available");
      return blocks[height] ?? [];
    };
    const until = ({ filledSize }: { readonly filledSize: string }): boolean => filledSize !== "0";
    const fate = await awaitFate(events, order, { fromHeight: 5, until, timeoutMs: 5000 });
    expect(fate).toMatchObject({ height: 7, orderId: 7n, filledSize: "1" });
  });

  test("is given up after a while, and at once when the node is gone", async () => {
    const none = async (): Promise<never> => {
      throw new KeelConnectionError("rpc", "not available");
    };
    const wait = { fromHeight: 5, until: () => true, timeoutMs: 0 };
    await expect(awaitFate(none, order, wait)).rejects.toThrow("no auction");
    const gone = async (): Promise<never> => {
      throw new KeelConnectionError("unreachable", "gone");
    };
    await expect(awaitFate(gone, order, wait)).rejects.toThrow("gone");
  });

  test("is waited for while empty blocks leave its round open", async () => {
    // Accepted at 6 for round 7, which is put off; 8 to 10 do nothing.
    const events = async (height: number): Promise<readonly TxEvent[]> =>
      height === 11 ? [placed, fill] : [];
    const until = isDecided({ round: 7n }, false);
    const fate = await awaitFate(events, order, { fromHeight: 6, until, timeoutMs: 1000 });
    expect(fate).toMatchObject({ height: 11, orderId: 7n, filledSize: "1" });
  });

  test("is decided in its own round, or when nothing can leave that open any longer", () => {
    const open = { ...collectedFate, status: "open" } as const;
    const inRound = isDecided({ round: 7n }, false);
    expect([7, 8, 10, 11].map((height) => inRound(collectedFate, height))).toEqual([
      ...[false, false, false],
      true,
    ]);
    expect(inRound(open, 7)).toBe(true);
    // Without rounds the block that took it in says all, or that the market stands still.
    expect(isDecided({ round: 0n }, false)(collectedFate, 5)).toBe(true);
    const filled = isDecided({ round: 0n }, true);
    expect(filled(open, 5)).toBe(false);
    expect(filled({ ...open, filledSize: "1" }, 5)).toBe(true);
    expect(filled({ ...open, status: "cancelled" }, 5)).toBe(true);
  });
});

describe("a cancel that waits for its round", () => {
  const { clientId: _, ...names } = order;
  const cancelled = event("order_cancelled", { order_id: "7", size: "2", reason: "user" });
  const blocks = new Map([[6, [cancelled]]]);
  const read: number[] = [];
  const events = async (height: number) => {
    read.push(height);
    return blocks.get(height) ?? [];
  };
  const wait = { fromHeight: 4, round: 5n, timeoutMs: 1000 };

  test.each([{ clientId: "a" }, { orderId: 7n }])(
    "ends with what it took out: %o",
    async (name) => {
      const found = await awaitCancelled(events, { ...names, ...name }, wait);
      expect(found).toEqual({ orderId: 7n, cancelledSize: "2" });
    },
  );

  test("ends with nothing when the last block has passed that its round can be held in", async () => {
    read.length = 0;
    expect(await awaitCancelled(events, { ...names, clientId: "b" }, wait)).toBeNull();
    expect(read.at(-1)).toBe(5 + IDLE_BLOCKS_MAX);
  });
});

import { describe, expect, it } from "vitest";
import { accountId } from "../../kit/account-id.ts";
import { Asked } from "./asked.ts";
import { setBack } from "./unfilled.ts";

const id = accountId(new Uint8Array(20), 0);
const ask = (market: number, notionalPerLot: bigint, distance = 5n) => ({
  view: { terms: { id: market }, notionalPerLot },
  side: "sell" as const,
  distance,
});

describe("the wait of who finds nobody", () => {
  it("is set back by the part that is taken of what had to go, over all positions", () => {
    const asked = new Asked();
    expect(setBack(100n, asked.taken(id), 80n)).toBe(100n);
    asked.add(id, ask(1, 10n), { lots: 8n, taken: 2n });
    expect(setBack(100n, asked.taken(id), 60n)).toBe(75n);
    asked.add(id, ask(2, 20n), { lots: 1n, taken: 1n });
    expect(asked.taken(id)).toBe(40n);
    expect(asked.untaken(id, ask(1, 10n))).toEqual({ left: 6n, of: 8n });
    expect(asked.untaken(id, ask(2, 20n)).left).toBe(0n);
    expect(setBack(101n, asked.taken(id), 60n)).toBe(60n);
    expect(setBack(101n, asked.taken(id), 0n)).toBe(0n);
  });

  it("is set back by no more than that when bidders take something of which the throttle let nothing be asked for", () => {
    const asked = new Asked();
    asked.addBid(id, ask(1, 10n), 1n);
    expect(setBack(100n, asked.taken(id), 990n)).toBe(99n);
  });

  it("leaves the other side what the book has left, whatever bidders took beside it", () => {
    const asked = new Asked();
    asked.add(id, ask(1, 10n), { lots: 8n, taken: 2n });
    asked.addBid(id, ask(1, 10n), 100n);
    expect(asked.untaken(id, ask(1, 10n))).toEqual({ left: 6n, of: 8n });
    asked.addBid(id, ask(2, 10n), 100n);
    asked.add(accountId(new Uint8Array(20), 1), ask(2, 10n), { lots: 1n, taken: 0n });
    expect(asked.untaken(id, ask(2, 10n))).toEqual({ left: 1n, of: 1n });
  });

  it("counts for who is held back, too, as far from mark as the book had nothing", () => {
    const other = accountId(new Uint8Array(20), 1);
    const asked = new Asked();
    asked.add(id, ask(1, 10n, 5n), { lots: 2n, taken: 1n });
    asked.add(id, ask(2, 10n, 5n), { lots: 2n, taken: 2n });
    expect(asked.untaken(other, ask(1, 10n, 5n))).toEqual({ left: 1n, of: 1n });
    expect(asked.untaken(other, ask(1, 10n, 6n)).left).toBe(0n);
    expect(asked.untaken(other, { ...ask(1, 10n, 5n), side: "buy" }).left).toBe(0n);
    expect(asked.untaken(other, ask(2, 10n, 5n)).left).toBe(0n);
  });

  it("stands when a slice is undone that the book filled unevenly", () => {
    const asked = new Asked();
    asked.add(id, ask(1, 10n), { lots: 4n, taken: 1n });
    const before = asked.before(id);
    asked.add(id, ask(1, 10n), { lots: 4n, taken: 4n });
    asked.untake(id, before);
    expect(asked.taken(id)).toBe(10n);
    expect(asked.untaken(id, ask(1, 10n))).toEqual({ left: 7n, of: 8n });
  });
});

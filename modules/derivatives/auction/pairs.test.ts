import { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import { beforeEach, describe, expect, it } from "vitest";
import { atomically } from "../../kit/atomically.ts";
import { limitedGas } from "../../kit/gas.ts";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { COLLECTED_CANCEL_GAS, COLLECTED_ORDER_GAS } from "../limits.ts";
import { removeMarket } from "../listing/life-cycle.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";
import { parseOco } from "../waiting/pairs.ts";

const COLLECTED = 8;
const EXIT = [
  "sell 2 @ 61000 reduce id=profit",
  "sell 2 market stop=59000 reduce id=loss",
] as const;

let venue: TestVenue;

function start(rounds: boolean): void {
  const auction = { ...defaultAuctionTerms(), interruptionMs: 0n, inclusionLists: rounds };
  venue = createTestVenue(testMarket({ terms: { ...defaultTerms(), auction } }), 1_000_000_000n);
  venue.setPrice(60_000);
}

/** The end of this block, at `price`, and the begin of the next. */
function end(price = 60_000): void {
  const { ctx, keeper } = venue;
  venue.setPrice(price);
  keeper.endRound(ctx);
  keeper.endBlock(ctx);
  expect(venue.violation()).toBeNull();
  ctx.nextBlock(1);
  keeper.beginBlock(ctx);
}

const place = (n: number, text: string) => venue.place(venue.account(n), text);
const lots = (n: number) => venue.clearing.positionLots(venue.ctx, venue.account(n), 1);

function oco(n: number, first: string, second: string) {
  const legs = [first, second].map(venue.order);
  const parsed = parseOco({ sender: "", owner: "", subaccount: 0, legs });
  const { ctx, keeper } = venue;
  return atomically(ctx, (inner) => keeper.placeOco(inner, venue.account(n), parsed)).legs;
}

function cancel(n: number, clientId: string): void {
  venue.keeper.cancel(venue.ctx, venue.account(n), { market: SYMBOL, orderId: 0n, clientId });
}

/** Names of what is collected, then of what rests, then of what waits, with lots of each. */
function open(): string {
  const { collected, orders, waiting } = venue.venue.state;
  const all: string[] = [];
  collected.each(venue.ctx, (_key, order) => void all.push(`(${order.clientId}:${order.lots})`));
  orders.each(
    venue.ctx,
    (_key, order) => void all.push(`${order.clientId}:${order.remainingLots}`),
  );
  waiting.each(
    venue.ctx,
    (_key, order) => void all.push(`${order.clientId}?${order.remainingLots}`),
  );
  return all.join(" ");
}

const told = (type: string) =>
  venue.ctx.events
    .filter((event) => event.type === type)
    .map(({ attributes }) => Object.fromEntries(attributes.map(({ key, value }) => [key, value])));
const gone = () =>
  told("order_cancelled").map(({ client_id: name, reason }) => `${name} ${reason}`);

describe.each([
  { matched: "by auction", rounds: false },
  { matched: "in rounds", rounds: true },
])("a pair in a market matched $matched", ({ rounds }) => {
  beforeEach(() => start(rounds));

  /** Until what was placed in this block has been in its auction. */
  function auction(price = 60_000): void {
    end(price);
    if (rounds) end(price);
  }

  /** Account 1 long by two, of account 2. */
  function position(): void {
    place(1, "buy 2 @ 60000 id=in");
    place(2, "sell 2 @ 60000 id=in");
    auction();
    expect(lots(1)).toBe(2000n);
  }

  it("is collected whole, and its orders get the next ids and each other's", () => {
    const legs = oco(1, "buy 1 @ 59000 id=b", "buy 1 market stop=61000 id=a");
    expect(legs.map(({ status, orderId }) => [status, orderId])).toEqual([
      [COLLECTED, 0n],
      [COLLECTED, 0n],
    ]);
    expect(venue.violation()).toBeNull();
    auction();
    const ids: bigint[][] = [];
    venue.venue.state.orders.each(venue.ctx, (_key, { id, ocoId }) => void ids.push([id, ocoId]));
    venue.venue.state.waiting.each(venue.ctx, (_key, { id, ocoId }) => void ids.push([id, ocoId]));
    // By client id.
    expect(ids).toEqual([
      [2n, 1n],
      [1n, 2n],
    ]);
  });

  it("enters in the order of its numbers, with other orders of the account between its names", () => {
    oco(1, "sell 1 @ 61000 id=a", "sell 1 @ 61000 id=z");
    place(1, "sell 2 @ 61000 id=m");
    oco(1, "sell 1 market trail=500 id=b", "sell 1 market trail=500 id=y");
    place(1, "sell 2 market trail=500 id=n");
    auction();
    expect(open()).toBe("a:1000 z:1000 m:2000 b?1000 y?1000 n?2000");
  });

  it("loses on one side what the other is filled", () => {
    oco(1, "buy 2 @ 59000 id=a", "sell 2 @ 61000 id=b");
    auction();
    place(2, "buy 0.5 @ 61000 id=x");
    auction();
    expect([lots(1), open()]).toEqual([-500n, "a:1500 b:1500"]);
    place(2, "sell 1.5 @ 59000 id=y");
    auction();
    expect([lots(1), open()]).toEqual([1000n, ""]);
    expect(gone()).toEqual(["b oco"]);
  });

  it("closes a position at the stop though the take-profit rests, and the take-profit goes", () => {
    position();
    oco(1, ...EXIT);
    auction();
    expect(open()).toBe("profit:2000 loss?2000");
    place(3, "buy 1.5 @ 58800 id=bid");
    auction();
    end(58_900);
    if (rounds) {
      expect(open()).toBe("(loss:2000) bid:1500 profit:2000");
      end(58_900);
    }
    // The rest of the stop left with its auction.
    expect([lots(1), lots(3), open()]).toEqual([500n, 1500n, "profit:500"]);
  });

  it("closes it at the take-profit, and the stop goes", () => {
    position();
    oco(1, ...EXIT);
    auction();
    place(3, "buy 3 @ 61000 id=bid");
    auction();
    expect([lots(1), open()]).toEqual([0n, "bid:1000"]);
    expect(gone()).toEqual(["loss oco"]);
  });

  it("that only reduces never trades more than the position, where one fires and both cross", () => {
    position();
    oco(1, "sell 2 @ 60100 reduce id=profit", "sell 2 market stop=59500 reduce id=loss");
    auction();
    place(3, "buy 9 @ 60200 id=bid");
    auction(59_450);
    expect([lots(1), lots(3), open()]).toEqual([0n, 2000n, "bid:7000"]);
  });

  it("that only reduces trades once where both orders of it cross in one auction", () => {
    position();
    oco(1, "sell 2 @ 60100 reduce id=profit", "sell 2 @ 60200 reduce id=more");
    auction();
    expect(open()).toBe("profit:2000 more:2000");
    place(3, "buy 9 @ 60300 id=bid");
    auction();
    expect([lots(1), lots(3), open()]).toEqual([0n, 2000n, "bid:7000"]);
  });

  it("that makes positions may be filled on both sides in one auction", () => {
    oco(1, "buy 2 @ 59000 id=a", "buy 2 @ 59500 id=b");
    auction();
    place(2, "sell 4 @ 58900 id=x");
    auction();
    expect(lots(1)).toBe(4000n);
  });

  it("goes whole when one is cancelled before it has entered, or after", () => {
    oco(1, "buy 1 @ 59000 id=a", "buy 1 market stop=61000 id=b");
    cancel(1, "b");
    auction();
    expect(open()).toBe("");
    expect(gone()).toEqual(["b user", "a oco"]);
    oco(1, "buy 1 @ 59000 id=a", "buy 1 market stop=61000 id=b");
    auction();
    cancel(1, "a");
    if (rounds) auction();
    expect(open()).toBe("");
  });

  it("goes whole when time ends one before it has entered, or after", () => {
    const { ctx } = venue;
    const now = Number(ctx.header.timeNs / 1_000_000n);
    oco(1, `buy 1 @ 59000 til=${now + 10} id=a`, "buy 1 market stop=61000 id=b");
    venue.setPrice(60_000, false);
    venue.keeper.endRound(ctx);
    venue.keeper.endBlock(ctx);
    ctx.nextBlock(1);
    venue.keeper.beginBlock(ctx);
    expect(open()).toBe("(a:1000) (b:1000)");
    auction();
    expect(open()).toBe("");
    expect(gone()).toEqual(["a expired", "b oco"]);
    oco(1, `buy 1 @ 59000 til=${now + 5500} id=a`, "buy 1 market stop=61000 id=b");
    auction();
    expect(open()).toBe("a:1000 b?1000");
    for (let n = 0; n < 6; n++) end();
    expect(open()).toBe("");
  });

  it("goes whole with everything of its account", () => {
    oco(1, "buy 1 @ 59000 id=a", "buy 1 market stop=61000 id=b");
    auction();
    oco(1, "buy 1 @ 59000 id=c", "buy 1 market stop=61000 id=d");
    venue.keeper.cancelOrders(venue.ctx, venue.account(1), "liquidation");
    expect([open(), venue.violation()]).toEqual(["", null]);
  });

  it("is refused whole: without names, with one name, post-only, or without room for both", () => {
    expect(() => oco(1, "buy 1 @ 59000 id=a", "buy 1 market stop=61000")).toThrow("client id");
    expect(() => oco(1, "buy 1 @ 59000 id=a", "buy 1 @ 58000 id=a")).toThrow("two different");
    expect(() => oco(1, "buy 1 @ 59000 id=a", "buy 1 @ 58000 post id=b")).toThrow("post-only");
    const most = venue.venue.state.markets.get(venue.ctx, 1)?.terms?.openOrdersMax ?? 0;
    for (let n = 1; n < most; n++) place(1, `buy 0.1 @ 59000 id=o${n}`);
    expect(() => oco(1, "buy 1 @ 59000 id=a", "buy 1 @ 58000 id=b")).toThrow("open orders");
    expect(open()).not.toContain("(a:");
  });

  it("is carried by an export, and enters linked", () => {
    oco(1, "buy 1 @ 59000 id=a", "buy 1 market stop=61000 id=b");
    const { genesis } = venue.module;
    if (genesis.kind !== "proto") throw new Error("expected proto genesis");
    const bytes = genesis.export(venue.ctx);
    const old = venue;
    venue = createTestVenue();
    const listed = venue.venue.state.markets.get(venue.ctx, 1);
    if (listed === undefined) throw new Error("expected a market");
    removeMarket(venue.ctx, venue.venue, listed);
    if (venue.module.genesis.kind !== "proto") throw new Error("expected proto genesis");
    venue.module.genesis.init(venue.ctx, bytes);
    const { collectedOrders } = GenesisState.decode(venue.module.genesis.export(venue.ctx));
    expect(collectedOrders.map(({ pairClientId }) => pairClientId)).toEqual(["b", "a"]);
    const account = venue.account(1);
    const reserved = old.clearing.account(old.ctx, account)?.feeReserve ?? 0n;
    venue.clearing.adjustOpenOrders(venue.ctx, account, 1, "buy", 2000n, reserved);
    auction();
    expect(open()).toBe("a:1000 b?1000");
    cancel(1, "a");
    if (rounds) auction();
    expect(open()).toBe("");
  });
});

describe("a pair in rounds", () => {
  beforeEach(() => start(true));

  it("leaves one order in force where the other had nothing to reduce when it entered", () => {
    oco(1, "buy 1 @ 59000 id=a", "sell 1 @ 61000 reduce id=b");
    end();
    end();
    expect(open()).toBe("a:1000");
    expect(gone()).toEqual(["b reduce_only"]);
    cancel(1, "a");
    end();
    end();
    expect(open()).toBe("");
  });

  it("takes what one is filled off the other, though that has fired and is in no book yet", () => {
    place(1, "buy 2 @ 60000 id=in");
    place(2, "sell 2 @ 60000 id=in");
    end();
    end();
    oco(1, ...EXIT);
    end();
    end();
    end(58_900);
    expect(open()).toBe("(loss:2000) profit:2000");
    const taken = venue.keeper.liquidateAtBook(venue.ctx, {
      account: venue.account(4),
      market: 1,
      side: "buy",
      lots: 500n,
      limitTicks: 122_000n,
    });
    expect(taken).toBe(500n);
    expect([open(), venue.violation()]).toEqual(["(loss:1500) profit:1500", null]);
    // The cancel is of the stop's round, and takes it out though it names the other.
    const { ctx } = venue;
    const plain = ctx.header;
    ctx.header = { ...plain, round: plain.height };
    cancel(1, "profit");
    ctx.header = plain;
    end(58_900);
    expect([open(), lots(1)]).toEqual(["", 1500n]);
  });

  it("pays for its entry, order by order, and for the cancel of one that names the other", () => {
    const gasOf = (work: () => void): number => {
      const metered = venue.ctx as { gas: ReturnType<typeof limitedGas> };
      const before = metered.gas;
      metered.gas = limitedGas(1n << 60n);
      work();
      const { used } = metered.gas;
      metered.gas = before;
      return Number(used);
    };
    const used = gasOf(() => void oco(1, "buy 1 @ 59000 id=a", "buy 1 market stop=61000 id=b"));
    expect(used).toBeGreaterThan(2 * COLLECTED_ORDER_GAS + COLLECTED_CANCEL_GAS);
    start(false);
    const plain = gasOf(() => void oco(1, "buy 1 @ 59000 id=a", "buy 1 market stop=61000 id=b"));
    // Records that say their round are a little longer.
    const beyond = used - plain - 2 * COLLECTED_ORDER_GAS - COLLECTED_CANCEL_GAS;
    expect(Math.abs(beyond)).toBeLessThan(1000);
  });
});

import { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import { beforeEach, describe, expect, it, test } from "vitest";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { removeMarket } from "../listing/life-cycle.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";

const COLLECTED = 8;

let venue: TestVenue;

function start(over: { readonly inclusionLists?: boolean } = {}): void {
  const auction = { ...defaultAuctionTerms(), interruptionMs: 0n, ...over };
  venue = createTestVenue(testMarket({ terms: { ...defaultTerms(), auction } }), 1_000_000_000n);
  venue.setPrice(60_000);
}

beforeEach(() => start());

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
const waiting = (n: number) => venue.venue.waiting.of(venue.ctx, 1).ordersOf(venue.account(n));
const cancel = (n: number, name: { orderId?: bigint; clientId?: string }) =>
  venue.keeper.cancel(venue.ctx, venue.account(n), {
    ...{ market: SYMBOL, orderId: 0n, clientId: "" },
    ...name,
  });
const told = (type: string) =>
  venue.ctx.events
    .filter((event) => event.type === type)
    .map(({ attributes }) => Object.fromEntries(attributes.map(({ key, value }) => [key, value])));

/** Account 1 long by two, account 2 short. */
function position(): void {
  place(1, "buy 2 @ 60000 id=in");
  place(2, "sell 2 @ 60000 id=in");
  end();
  if (lots(1) === 0n) end();
  expect([lots(1), lots(2)]).toEqual([2000n, -2000n]);
}

const copyOf = (): { readonly before: GenesisState; readonly after: GenesisState } => {
  const { genesis } = venue.module;
  if (genesis.kind !== "proto") throw new Error("expected proto genesis");
  const bytes = genesis.export(venue.ctx);
  const fresh = createTestVenue();
  const { markets } = fresh.venue.state;
  const listed = markets.get(fresh.ctx, 1);
  if (listed === undefined) throw new Error("expected a market");
  removeMarket(fresh.ctx, fresh.venue, listed);
  if (fresh.module.genesis.kind !== "proto") throw new Error("expected proto genesis");
  fresh.module.genesis.init(fresh.ctx, bytes);
  const again = fresh.module.genesis.export(fresh.ctx);
  return { before: GenesisState.decode(bytes), after: GenesisState.decode(again) };
};

describe("a conditional order of a market that is matched by auction", () => {
  it("is collected, waits from the end of its block, and is in the auction of the block that fires it", () => {
    position();
    const placed = place(1, "sell 2 market stop=59500 reduce id=stop");
    expect([placed.status, placed.orderId]).toEqual([COLLECTED, 0n]);
    expect(waiting(1)).toEqual([]);
    end();
    const [id] = waiting(1);
    expect(told("order_waiting")).toMatchObject([
      { order_id: `${id}`, kind: "stop", client_id: "stop", size: "2" },
    ]);
    place(3, "buy 5 @ 59300 id=bid");
    end(59_600);
    expect(lots(1)).toBe(2000n);
    end(59_400);
    expect([lots(1), lots(3)]).toEqual([0n, 2000n]);
    expect(told("order_triggered")).toMatchObject([{ order_id: `${id}`, client_id: "stop" }]);
    const fills = told("auction_fill").filter(({ client_id: name }) => name === "stop");
    expect(fills).toMatchObject([{ order_id: `${id}`, price: "59300" }]);
    expect(waiting(1)).toEqual([]);
  });

  it("gets its number by owner, sub-account and client id, whichever came first", () => {
    place(2, "buy 1 market stop=60500 id=b");
    place(2, "buy 1 market stop=60500 id=a");
    place(1, "buy 1 market stop=60500 id=z");
    end();
    const names = told("order_waiting").map(({ client_id: name }) => name);
    expect(names).toEqual(["z", "a", "b"]);
    expect(waiting(1)[0]).toBeLessThan(waiting(2)[0] ?? 0);
  });

  it("rests under its id with what its auction left of it", () => {
    place(1, "sell 3 @ 60400 profit=60300 id=tp");
    end();
    const [id] = waiting(1);
    place(2, "buy 1 @ 60500 id=bid");
    end(60_350);
    expect(lots(1)).toBe(-1000n);
    expect(venue.book()).toBe(" | 60400:2");
    const placed = told("order_placed").filter(({ client_id: name }) => name === "tp");
    expect(placed).toMatchObject([{ order_id: `${id}`, size: "3" }]);
    expect(cancel(1, { orderId: BigInt(id ?? 0) }).cancelledSize).toBe("2");
  });

  it("trails the mark from the end of its block on", () => {
    position();
    place(1, "sell 2 market trail=500 reduce id=trail");
    end(60_000);
    for (const price of [60_800, 60_400]) end(price);
    expect(waiting(1)).toHaveLength(1);
    place(3, "buy 5 @ 60200 id=bid");
    end(60_290);
    expect([lots(1), waiting(1)]).toEqual([0n, []]);
  });

  it("is amended and cancelled while it waits, and cancelled before", () => {
    place(1, "buy 1 market stop=60500 id=a");
    expect(cancel(1, { clientId: "a" }).cancelledSize).toBe("1");
    place(1, "buy 1 market stop=60500 id=a");
    end();
    expect(() => place(1, "buy 1 @ 60000 id=a")).toThrow("names an open order");
    const change = { price: "", size: "", triggerPrice: "60900", selfTradePrevention: 0 as const };
    const name = { market: SYMBOL, orderId: 0n, clientId: "a" };
    venue.keeper.amend(venue.ctx, venue.account(1), { ...name, ...change });
    end(60_600);
    expect(waiting(1)).toHaveLength(1);
    expect(cancel(1, { orderId: BigInt(waiting(1)[0] ?? 0) }).cancelledSize).toBe("1");
    end(61_000);
    expect(told("order_triggered")).toEqual([]);
  });

  it("that only reduces must have something to reduce when it is placed, and when it fires", () => {
    expect(() => place(1, "sell 1 market stop=59000 reduce id=a")).toThrow("no position");
    position();
    place(1, "sell 2 market stop=59500 reduce id=stop");
    end();
    place(1, "sell 2 market id=out");
    place(3, "buy 2 @ 60000 id=bid");
    end();
    expect(lots(1)).toBe(0n);
    end(59_400);
    expect(lots(1)).toBe(0n);
    expect(told("order_cancelled").at(-1)).toMatchObject({ reason: "trigger_refused" });
  });

  it("is refused when it fires by who cannot bear it any more, and says so", () => {
    place(1, "buy 100 market stop=60500 id=big");
    end();
    venue.clearing.limit(venue.account(1), 10n);
    end(60_600);
    expect(told("order_refused")).toMatchObject([{ client_id: "big", codespace: "margin" }]);
    expect(waiting(1)).toEqual([]);
  });

  it("does not wait for a price in an auction before it has fired", () => {
    place(1, "buy 2 @ 61000 stop=60500 id=stop");
    place(2, "sell 2 @ 60000 id=ask");
    end();
    expect([lots(1), venue.book()]).toEqual([0n, " | 60000:2"]);
    end(60_600);
    expect(lots(1)).toBe(2000n);
  });
});

describe("in rounds", () => {
  beforeEach(() => start({ inclusionLists: true }));

  it("it waits from its round on, and is for the round after the block that fires it", () => {
    position();
    place(1, "sell 2 market stop=59500 reduce id=stop");
    end(59_400);
    expect([waiting(1), lots(1)]).toEqual([[], 2000n]);
    place(3, "buy 5 @ 59300 id=bid");
    end(59_400);
    // It entered with the round of this block, and fired at its end.
    expect([waiting(1), lots(1)]).toEqual([[], 2000n]);
    expect(told("order_triggered")).toHaveLength(1);
    end(59_400);
    expect([lots(1), lots(3)]).toEqual([0n, 2000n]);
  });

  test.each(["id", "client id"])("a cancel by %s takes it out though it has fired", (by) => {
    position();
    place(1, "sell 2 market stop=59500 reduce id=stop");
    end();
    end();
    const [id = 0] = waiting(1);
    place(3, "buy 5 @ 59300 id=bid");
    end(59_400);
    expect(told("order_triggered")).toHaveLength(1);
    // What a proposer held back is of the round that the order is for.
    const { ctx } = venue;
    const plain = ctx.header;
    ctx.header = { ...plain, round: plain.height };
    cancel(1, by === "id" ? { orderId: BigInt(id) } : { clientId: "stop" });
    ctx.header = plain;
    end(59_400);
    expect([lots(1), lots(3)]).toEqual([2000n, 0n]);
  });

  it("a cancel of everything takes it out though it has fired meanwhile, but no order of its own round", () => {
    place(1, "buy 1 market stop=60500 id=a");
    end();
    end();
    place(3, "sell 5 @ 60600 id=ask");
    place(1, "buy 1 @ 60100 id=new");
    expect(venue.keeper.cancelAll(venue.ctx, venue.account(1), SYMBOL)).toBe(1);
    end(60_600);
    expect(told("order_triggered")).toHaveLength(1);
    end(60_600);
    expect([lots(1), venue.book()]).toEqual([0n, "60100:1 | 60600:5"]);
  });

  it("is cancelled by its id, and named by it, where the market stands still when it has fired", () => {
    place(1, "buy 1 market stop=60500 id=a");
    end();
    end();
    const [id = 0] = waiting(1);
    end(60_600);
    const status = MarketStatus.MARKET_STATUS_HALTED;
    venue.keeper.updateMarket(venue.ctx, SYMBOL, { status, terms: undefined });
    expect(() => cancel(2, { orderId: BigInt(id) })).toThrow("no open order");
    expect(cancel(1, { orderId: BigInt(id) })).toEqual({
      ...{ orderId: BigInt(id), cancelledSize: "1", round: 0n },
    });
    expect(told("order_cancelled")).toMatchObject([{ order_id: `${id}`, client_id: "a" }]);
    expect(() => cancel(1, { orderId: BigInt(id) })).toThrow("no open order");
  });

  it("a cancel while it waits is of a round, too, and it is not amended", () => {
    place(1, "buy 1 market stop=60500 id=a");
    end();
    end();
    const cancelled = cancel(1, { clientId: "a" });
    expect([cancelled.cancelledSize, cancelled.round]).toEqual([
      "0",
      BigInt(venue.ctx.header.height + 1),
    ]);
    const change = { price: "", size: "0.5", triggerPrice: "", selfTradePrevention: 0 as const };
    const name = { market: SYMBOL, orderId: 0n, clientId: "a" };
    expect(() => venue.keeper.amend(venue.ctx, venue.account(1), { ...name, ...change })).toThrow(
      "not amended",
    );
    end();
    end();
    expect(waiting(1)).toEqual([]);
  });
});

describe("a bracket from when the market was continuous", () => {
  it("gives its stop no client id that an order of a later round has", () => {
    const terms = defaultTerms();
    venue = createTestVenue(testMarket({ terms }), 1_000_000_000n);
    venue.setPrice(60_000);
    place(1, "buy 2 @ 59990 id=in sl=59000 slid=x");
    const auction = { ...defaultAuctionTerms(), interruptionMs: 0n, inclusionLists: true };
    const status = MarketStatus.MARKET_STATUS_ACTIVE;
    venue.keeper.updateMarket(venue.ctx, SYMBOL, { status, terms: { ...terms, auction } });
    place(2, "sell 2 @ 59990 id=out");
    end();
    // Of the round after the one that fills the bracket's order.
    place(1, "buy 1 @ 59000 id=x");
    end();
    expect(lots(1)).toBe(2000n);
    end();
    expect([waiting(1).length, venue.book()]).toEqual([1, "59000:1 | "]);
  });
});

describe("an order without a client id, from when the market was continuous", () => {
  beforeEach(() => {
    venue = createTestVenue(testMarket({ terms: defaultTerms() }), 1_000_000_000n);
    venue.setPrice(60_000);
  });

  function collects(inclusionLists: boolean): void {
    const auction = { ...defaultAuctionTerms(), interruptionMs: 0n, inclusionLists };
    const status = MarketStatus.MARKET_STATUS_ACTIVE;
    const terms = { ...defaultTerms(), auction };
    venue.keeper.updateMarket(venue.ctx, SYMBOL, { status, terms });
  }

  test.each([false, true])("fires, one that was post-only too, with rounds: %s", (rounds) => {
    place(1, "buy 1 market stop=60500");
    place(1, "buy 2 market stop=60500");
    place(2, "sell 1 @ 60600 profit=60500 post");
    collects(rounds);
    const [first, second] = waiting(1);
    place(3, "sell 5 @ 60550 id=ask");
    end();
    end(60_600);
    if (rounds) end(60_600);
    expect([lots(1), lots(3)]).toEqual([3000n, -3000n]);
    expect(venue.book()).toBe(" | 60550:2 60600:1");
    const fills = told("auction_fill").map(({ order_id: id }) => id);
    expect(fills).toEqual(expect.arrayContaining([`${first}`, `${second}`]));
  });

  it("is cancelled by its id when it has fired, and carried by an export", () => {
    place(1, "buy 1 market stop=60500");
    place(1, "buy 2 market stop=60500");
    collects(true);
    const [first = 0] = waiting(1);
    end(60_600);
    const status = MarketStatus.MARKET_STATUS_HALTED;
    venue.keeper.updateMarket(venue.ctx, SYMBOL, { status, terms: undefined });
    expect(cancel(1, { orderId: BigInt(first) }).cancelledSize).toBe("1");
    const { before, after } = copyOf();
    expect(before.collectedOrders).toMatchObject([{ clientId: "", lots: 2000n }]);
    expect(after.collectedOrders).toMatchObject([{ clientId: "", lots: 2000n }]);
  });
});

describe("an export", () => {
  it("carries those that are going to wait and those that have fired", () => {
    start({ inclusionLists: true });
    position();
    place(1, "sell 2 market stop=59500 reduce id=stop");
    end();
    end(59_400);
    place(2, "buy 1 market stop=60900 id=later");
    const { before, after } = copyOf();
    expect(before.collectedOrders.map(({ waiting: order }) => order?.id !== 0n)).toEqual([
      true,
      false,
    ]);
    // Rounds are heights of the chain, and the new one begins below them.
    const apartFromRounds = (state: GenesisState) =>
      state.collectedOrders.map((order) => ({ ...order, round: 0n }));
    expect(apartFromRounds(after)).toEqual(apartFromRounds(before));
  });
});

import { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import { describe, expect, it } from "vitest";
import { defaultAuctionTerms, defaultTerms } from "./defaults.ts";
import { createTestVenue, type TestVenue, testMarket } from "./testing.ts";

function populated(): TestVenue {
  const venue = createTestVenue();
  venue.place(venue.account(1), "buy 1 @ 59000 id=a til=1700000900000");
  venue.place(venue.account(1), "buy 2 @ 59000");
  venue.place(venue.account(2), "sell 1 @ 61000");
  venue.place(venue.account(3), "buy 1.5 @ 61000");
  return venue;
}

/** A stop until a block, a trailing stop, a TWAP, a take-profit, and a dead man. */
function waitingMarket(): TestVenue {
  const venue = createTestVenue();
  const { height } = venue.ctx.header;
  venue.place(venue.account(1), `sell 1 market stop=59000 id=a block=${height + 9}`);
  venue.place(venue.account(2), "sell 1 market trail=500");
  venue.place(venue.account(2), "buy 1 market twap=4/1000 reduce");
  venue.place(venue.account(3), "buy 2 @ 59500 profit=59500 tp=61000 sl=58000 til=1700000900000");
  venue.keeper.setDeadMan(venue.ctx, venue.account(1), 1_700_000_900_000n);
  return venue;
}

const mark = (firstId: bigint, ticks: bigint) => ({ market: 1, side: 2 as const, firstId, ticks });

const key = (ticks: number, priority: number, side: "buy" | "sell" = "buy") => ({
  market: 1,
  side,
  ticks,
  priority,
});

describe("invariants", () => {
  it("hold in a populated market", () => {
    expect(populated().violation()).toBeNull();
  });

  it("notice a crossed book", () => {
    const venue = populated();
    const { venue: parts, ctx } = venue;
    const record = parts.state.orders.get(ctx, key(118_000, 1))!;
    parts.state.orders.delete(ctx, key(118_000, 1));
    parts.state.orders.set(ctx, key(118_000, 1, "sell"), { ...record, side: 2 });
    parts.books.forget(ctx);
    expect(venue.module.invariants.running["book-not-crossed"]!(ctx)).toContain("best bid");
  });

  it("notice an order that is stored but not in the book, and the other way round", () => {
    const venue = populated();
    const { venue: parts, ctx } = venue;
    const counted = venue.module.invariants.running["orders-counted"]!;
    const record = parts.state.orders.get(ctx, key(118_000, 1))!;
    parts.state.orders.delete(ctx, key(118_000, 1));
    expect(counted(ctx)).toContain("3 orders in the books, 2 in state");
    parts.state.orders.set(ctx, key(110_000, 1), record);
    expect(counted(ctx)).toBeNull();
    const same = venue.module.invariants.full["book-equals-orders"]!;
    expect(same(ctx)).toContain("key of another");
    parts.state.orders.set(ctx, key(110_000, 1), { ...record, priceTicks: 110_000n });
    expect(same(ctx)).toContain("differs");
  });

  it("notice a book with other lots or another priority than the orders", () => {
    const venue = populated();
    const { venue: parts, ctx } = venue;
    const same = venue.module.invariants.full["book-equals-orders"]!;
    const record = parts.state.orders.get(ctx, key(118_000, 2))!;
    parts.state.orders.set(ctx, key(118_000, 2), { ...record, remainingLots: 1n });
    expect(same(ctx)).toContain("differs");
    parts.state.orders.set(ctx, key(118_000, 2), record);
    expect(same(ctx)).toBeNull();
    const book = parts.books.of(ctx, 1);
    const slot = book.find(1);
    const terms = book.read(slot);
    book.remove(slot, ctx.state);
    book.insert(terms, ctx.state);
    expect(same(ctx)).toContain("differs");
  });

  it("notice a reserve that differs from the orders", () => {
    const venue = populated();
    const check = venue.module.invariants.full["exposure-reserved"]!;
    venue.clearing.adjustOpenOrders(venue.ctx, venue.account(1), 1, "buy", 1n, 0n);
    expect(check(venue.ctx)).toContain("reserved");
    venue.clearing.adjustOpenOrders(venue.ctx, venue.account(1), 1, "buy", -1n, 1n);
    expect(check(venue.ctx)).toContain("in fees");
  });

  it("notice reserves, hidden parts and queues of waiting orders that do not fit", () => {
    const { ctx, venue: parts, module, place, account, violation } = waitingMarket();
    const { full } = module.invariants;
    expect(violation()).toBeNull();
    const { heightExpiries, trailMarks, waiting } = parts.state;
    const stop = { market: 1, queue: 1, rank: 2_147_483_647 - 118_000, id: 1 };
    const record = waiting.get(ctx, stop)!;
    waiting.set(ctx, stop, { ...record, remainingLots: 1n });
    expect(full["exposure-reserved"]!(ctx)).toContain("reserved");
    waiting.set(ctx, stop, { ...record, triggerTicks: 1n });
    expect(full["waiting-equals-orders"]!(ctx)).toContain("key of another");
    waiting.delete(ctx, stop);
    expect(full["waiting-equals-orders"]!(ctx)).toContain("index of waiting orders differs");
    waiting.set(ctx, stop, { ...record, remainingLots: 0n, reduceOnly: true });
    expect(full["pairs-linked"]!(ctx)).toContain("no size");
    waiting.set(ctx, stop, record);

    heightExpiries.set(ctx, [1, 5, 9], true);
    expect(full["expiries-match-orders"]!(ctx)).toContain("1 and 2 in the expiry queues");
    heightExpiries.delete(ctx, [1, 5, 9]);
    trailMarks.set(ctx, [1, 1, 1], mark(1n, 7n));
    expect(full["trails-followed"]!(ctx)).toContain("2 best marks for sells, 1");
    trailMarks.delete(ctx, [1, 1, 1]);
    trailMarks.set(ctx, [1, 1, 2], mark(2n, 7n));
    expect(full["waiting-equals-orders"]!(ctx)).toContain("differs");
    trailMarks.delete(ctx, [1, 1, 2]);
    expect(full["trails-followed"]!(ctx)).toContain("follows no mark");
    trailMarks.set(ctx, [1, 1, 2], mark(2n, 120_000n));
    expect(violation()).toBeNull();

    place(account(1), "sell 4 @ 62000 show=1");
    const iceberg = key(124_000, 5, "sell");
    const shown = parts.state.orders.get(ctx, iceberg)!;
    parts.state.orders.set(ctx, iceberg, { ...shown, hiddenLots: 1n });
    expect(full["exposure-reserved"]!(ctx)).toContain("reserved");
    parts.state.orders.set(ctx, iceberg, { ...shown, ocoId: 1n });
    expect(full["pairs-linked"]!(ctx)).toContain("is paired with 1");
    parts.state.orders.set(ctx, iceberg, { ...shown, priority: 9n });
    expect(full["book-equals-orders"]!(ctx)).toContain("key of another");
  });

  it("notice a dead man out of the queue, behind its time, or of another", () => {
    const { ctx, venue: parts, module, account } = waitingMarket();
    const check = module.invariants.full["dead-men-queued"]!;
    const { deadMen, deadManQueue } = parts.state;
    const record = deadMen.get(ctx, account(1))!;
    deadManQueue.set(ctx, [9, account(2)], true);
    expect(check(ctx)).toContain("2 dead men in the queue, expected 1");
    deadManQueue.delete(ctx, [9, account(2)]);
    deadMen.set(ctx, account(1), { ...record, queuedMs: record.deadlineMs + 1n });
    expect(check(ctx)).toContain("not queued");
    deadManQueue.set(ctx, [Number(record.deadlineMs) + 1, account(1)], true);
    expect(check(ctx)).toContain("behind its time");
    deadMen.set(ctx, account(1), { ...record, subaccount: 4 });
    expect(check(ctx)).toContain("stored for another");
  });

  it("notice an expiry without order, and an order without expiry", () => {
    const venue = populated();
    const { venue: parts, ctx } = venue;
    const check = venue.module.invariants.full["expiries-match-orders"]!;
    parts.state.expiries.set(ctx, [1, 5, 9], true);
    expect(check(ctx)).toContain("2 and 0 in the expiry queues");
    parts.state.expiries.delete(ctx, [1, 5, 9]);
    parts.state.expiries.delete(ctx, [1, 1_700_000_900_000, 1]);
    expect(check(ctx)).toContain("not in the queue");
  });
});

describe("a fault in a market's own step", () => {
  it("reverts that step, quarantines that market and leaves the others alone", () => {
    const venue = createTestVenue();
    const { ctx, keeper, venue: parts } = venue;
    keeper.createMarket(ctx, { ...parts.state.markets.get(ctx, 1)!, symbol: "SECOND" });
    venue.place(venue.account(1), "buy 1 @ 59000 til=1700000000500");
    venue.place(venue.account(1), "buy 1 @ 58000 til=1700000000600");
    // The second one's record is lost: expiring it fails after the first was already cancelled.
    parts.state.orders.delete(ctx, key(116_000, 2));
    ctx.nextBlock(5);
    ctx.events.length = 0;
    keeper.beginBlock(ctx);
    keeper.endBlock(ctx);
    expect(keeper.terms(ctx, 1)?.status).toBe("quarantined");
    expect(keeper.terms(ctx, 2)?.status).toBe("active");
    expect(venue.eventTypes()).toEqual(["market_quarantined"]);
    expect(parts.books.of(ctx, 1).size).toBe(2);
    expect(parts.state.orders.get(ctx, key(118_000, 1))).toBeDefined();
    ctx.nextBlock(5);
    keeper.beginBlock(ctx);
    keeper.endBlock(ctx);
    expect(ctx.events).toEqual([]);
  });

  it("lets a broken machine go down instead", () => {
    const venue = createTestVenue();
    Object.assign(venue.venue.books, {
      of: () => {
        throw new RangeError("Maximum call stack size exceeded");
      },
    });
    expect(() => venue.keeper.endBlock(venue.ctx)).toThrow(RangeError);
  });
});

describe("genesis", () => {
  it("exports what waits, and refuses waiting orders that do not fit together", () => {
    const venue = waitingMarket();
    venue.place(venue.account(1), "sell 4 @ 62000 show=1 tp=50000");
    const bytes = genesisOf(venue).export(venue.ctx);
    const other = createTestVenue();
    other.ctx.state.revert(0);
    genesisOf(other).init(other.ctx, bytes);
    expect(genesisOf(other).export(other.ctx)).toEqual(bytes);
    const { full } = other.module.invariants;
    for (const name of Object.keys(full)) {
      // What margin holds is in its own genesis.
      if (name !== "exposure-reserved") expect(full[name]!(other.ctx), name).toBeNull();
    }
    const state = GenesisState.decode(bytes);
    const refused = (change: Partial<GenesisState>): void => {
      const empty = createTestVenue();
      empty.ctx.state.revert(0);
      const encoded = GenesisState.encode({ ...state, ...change }).finish();
      expect(() => genesisOf(empty).init(empty.ctx, encoded)).toThrow(
        expect.objectContaining({ codespace: "derivatives" }),
      );
    };
    const { deadMen, orders, trailMarks, waitingOrders } = state;
    for (const change of [
      { id: 99n },
      { market: 7 },
      { kind: 0 as const },
      { owner: new Uint8Array(2) },
      { remainingLots: 0n },
      { triggerTicks: 1n << 40n },
      { slices: 4 },
      { dueSequence: 1000n },
    ]) {
      refused({ waitingOrders: [{ ...waitingOrders[0]!, ...change }] });
    }
    refused({ trailMarks: [] });
    refused({ trailMarks: [{ ...trailMarks[0]!, ticks: 0n }] });
    refused({ deadMen: [{ ...deadMen[0]!, queuedMs: 1n << 60n }] });
    refused({ orders: [{ ...orders[0]!, priority: 1000n }] });
  });

  it("exports what it was given, with priorities, and refuses what does not fit together", () => {
    const venue = populated();
    const genesis = venue.module.genesis;
    if (genesis.kind !== "proto") throw new Error("expected proto genesis");
    const bytes = genesis.export(venue.ctx);
    const other = createTestVenue();
    // A chain without markets yet.
    other.ctx.state.revert(0);
    genesisOf(other).init(other.ctx, bytes);
    expect(genesisOf(other).export(other.ctx)).toEqual(bytes);
    expect(other.book()).toBe(venue.book());
    const full = other.module.invariants.full;
    expect(full["book-equals-orders"]!(other.ctx)).toBeNull();
    expect(full["expiries-match-orders"]!(other.ctx)).toBeNull();

    const state = GenesisState.decode(bytes);
    const refused = (change: Partial<GenesisState>): void => {
      const empty = createTestVenue();
      empty.ctx.state.revert(0);
      const encoded = GenesisState.encode({ ...state, ...change }).finish();
      expect(() => genesisOf(empty).init(empty.ctx, encoded)).toThrow(
        expect.objectContaining({ codespace: "derivatives" }),
      );
    };
    const entry = state.markets[0]!;
    const order = state.orders[0]!;
    refused({ params: undefined });
    refused({ markets: [entry, entry] });
    refused({ markets: [{ ...entry, market: { ...entry.market!, id: 2 } }] });
    refused({ markets: [{ ...entry, market: { ...entry.market!, tickSize: "0" } }] });
    refused({ orders: [{ ...order, id: 99n }] });
    refused({ orders: [{ ...order, market: 5 }] });
    refused({ orders: [{ ...order, remainingLots: 0n }] });
    refused({ orders: [{ ...order, owner: new Uint8Array(3) }] });
  });
});

function genesisOf(venue: TestVenue) {
  const { genesis } = venue.module;
  if (genesis.kind !== "proto") throw new Error("expected proto genesis");
  return genesis;
}

describe("the invariant of collected orders", () => {
  it("notices another key, an open order's client id, another size, and a market that does not collect", () => {
    const terms = { ...defaultTerms(), auction: defaultAuctionTerms() };
    const venue = createTestVenue(testMarket({ terms }));
    const { ctx } = venue;
    const { collected, markets } = venue.venue.state;
    const apart = venue.module.invariants.full["collected-apart"]!;
    const reserved = venue.module.invariants.full["exposure-reserved"]!;
    const account = venue.account(1);
    venue.place(account, "buy 1 @ 59000 id=rests");
    venue.keeper.endBlock(ctx);
    venue.place(account, "buy 1 @ 59000 id=x");
    expect(venue.violation()).toBeNull();
    const order = collected.get(ctx, [1, account, "x"])!;

    collected.set(ctx, [1, account, "y"], order);
    expect(apart(ctx)).toContain("key of another");
    expect(reserved(ctx)).toContain("orders of 3000");
    collected.set(ctx, [1, account, "y"], { ...order, clientId: "y", lots: 500n });
    expect(apart(ctx)).toBeNull();
    expect(reserved(ctx)).toContain("orders of 2500");
    collected.delete(ctx, [1, account, "y"]);
    collected.set(ctx, [1, account, "rests"], { ...order, clientId: "rests" });
    expect(apart(ctx)).toContain("also in the book");
    collected.delete(ctx, [1, account, "rests"]);
    const market = markets.get(ctx, 1)!;
    markets.set(ctx, 1, { ...market, terms: defaultTerms() });
    expect(apart(ctx)).toContain("does not collect");
  });
});

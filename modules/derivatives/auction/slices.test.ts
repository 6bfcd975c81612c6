import { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import { beforeEach, describe, expect, it } from "vitest";
import { BTC, createWorld } from "../../testing/world.ts";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { removeMarket } from "../listing/life-cycle.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";

let venue: TestVenue;

function start(inclusionLists: boolean): void {
  const auction = { ...defaultAuctionTerms(), interruptionMs: 0n, openingMs: 0n, inclusionLists };
  venue = createTestVenue(testMarket({ terms: { ...defaultTerms(), auction } }), 1_000_000_000n);
  venue.setPrice(60_000);
}

/** The end of this block, and the begin of the next a second later. */
function end(price: number | null = 60_000): void {
  const { ctx, keeper } = venue;
  if (price !== null) venue.setPrice(price);
  keeper.endRound(ctx);
  keeper.endBlock(ctx);
  expect(venue.violation()).toBeNull();
  ctx.nextBlock(1);
  keeper.beginBlock(ctx);
}

const place = (n: number, text: string) => venue.place(venue.account(n), text);
const lots = (n: number) => Number(venue.clearing.positionLots(venue.ctx, venue.account(n), 1));
const waiting = (n: number) => venue.venue.waiting.of(venue.ctx, 1).ordersOf(venue.account(n));
const told = (type: string) =>
  venue.ctx.events
    .filter((event) => event.type === type)
    .map(({ attributes }) => Object.fromEntries(attributes.map(({ key, value }) => [key, value])));
const slices = () =>
  told("twap_slice").map(({ filled, reason, size, slice }) =>
    `${slice}: ${filled}/${size} ${reason ?? ""}`.trim(),
  );

describe("a TWAP of a market that is matched by auction", () => {
  beforeEach(() => start(false));

  it("begins to wait in its block, with its first slice, and each other is in the auction of the block it is due in", () => {
    place(9, "sell 9 @ 60000 id=ask");
    expect(place(1, "buy 1 market twap=4/2000 id=t").status).toBe(8);
    const held: number[] = [];
    for (let second = 0; second < 9; second++) {
      end();
      held.push(lots(1));
    }
    expect(held).toEqual([250, 250, 500, 500, 750, 750, 1000, 1000, 1000]);
    expect(slices()).toEqual(["1: 0.25/0.25", "2: 0.25/0.25", "3: 0.25/0.25", "4: 0.25/0.25"]);
    expect(waiting(1)).toEqual([]);
    expect(venue.book()).toBe(" | 60000:8");
    expect(venue.clearing.account(venue.ctx, venue.account(1))?.feeReserve).toBe(0n);
  });

  it("gets back what a slice did not fill, makes up for it, and ends after the last", () => {
    place(1, "buy 0.9 @ 60000 twap=3/1000 id=t");
    end();
    expect([slices(), venue.book()]).toEqual([["1: 0/0.3 immediate"], " | "]);
    place(9, "sell 0.1 @ 60000 id=ask");
    end();
    end();
    expect(slices().slice(1)).toEqual(["2: 0.1/0.45 immediate", "3: 0/0.8 immediate"]);
    expect(told("order_cancelled").at(-1)).toMatchObject({ reason: "twap_end" });
    expect([lots(1), waiting(1)]).toEqual([100, []]);
    const account = venue.clearing.account(venue.ctx, venue.account(1));
    expect(account?.feeReserve).toBe(0n);
  });

  it("is refused nothing but the slice that its account cannot bear", () => {
    place(1, "buy 100 market twap=2/1000 id=t");
    place(9, "sell 100 @ 60000 id=ask");
    venue.clearing.limit(venue.account(1), 10n);
    end();
    expect(slices()).toEqual(["1: 0/50 margin"]);
    expect(waiting(1)).toHaveLength(1);
  });

  it("loses to an own order what both cancel out", () => {
    place(1, "sell 0.1 @ 60000 id=own");
    place(1, "buy 1 @ 60000 twap=2/1000 id=t");
    end();
    expect(slices()).toEqual(["1: 0/0.5 self_trade"]);
    expect(told("twap_slice")).toMatchObject([{ remaining: "0.9" }]);
    expect(venue.book()).toBe(" | ");
  });

  it("ends cancelled, not filled, when an own order cancels out all that is left", () => {
    place(1, "buy 1 @ 60000 twap=2/1000 id=t");
    end();
    place(1, "sell 3 @ 60000 id=own");
    end();
    expect(slices()).toEqual(["1: 0/0.5 immediate", "2: 0/1 self_trade"]);
    expect(told("order_filled")).toEqual([]);
    expect(told("order_cancelled").at(-1)).toMatchObject({ client_id: "t", reason: "self_trade" });
    expect([waiting(1), venue.book()]).toEqual([[], " | 60000:2"]);
  });

  it("that only reduces is cut to the position, and ends with it", () => {
    place(1, "buy 1 @ 60000 id=in");
    place(9, "sell 1 @ 60000 id=in");
    end();
    place(9, "buy 9 @ 60000 id=bid");
    place(1, "sell 6 market reduce twap=3/1000 id=t");
    end();
    expect([lots(1), slices()]).toEqual([0, ["1: 1/1"]]);
    end();
    expect(waiting(1)).toEqual([]);
    expect(told("order_cancelled").at(-1)).toMatchObject({ reason: "reduce_only" });
  });

  it("waits while the market stands still or its price is late", () => {
    place(1, "buy 1 market twap=5/1000 id=t");
    end();
    venue.keeper.updateMarket(venue.ctx, SYMBOL, {
      status: MarketStatus.MARKET_STATUS_HALTED,
      terms: undefined,
    });
    end();
    end();
    expect(slices()).toEqual(["1: 0/0.2 immediate"]);
    venue.keeper.updateMarket(venue.ctx, SYMBOL, {
      status: MarketStatus.MARKET_STATUS_ACTIVE,
      terms: undefined,
    });
    place(9, "sell 9 @ 60000 id=ask");
    end();
    // The fourth, with its part of what those before it left.
    expect(slices().slice(1)).toEqual(["4: 0.5/0.5"]);
  });
});

it("pays when it is collected for what its slices use when they fill nothing", () => {
  const most = 20;
  const auction = { ...defaultAuctionTerms(), interruptionMs: 0n, openingMs: 0n };
  /** Gas of its placement, and of the ends of as many blocks. */
  const gasOf = (flags: string | null): { readonly paid: bigint; readonly used: bigint } => {
    const world = createWorld();
    const { ctx } = world;
    world.setPrice(BTC, "60000");
    world.list(testMarket({ terms: { ...defaultTerms(), auction } }));
    const [long, short] = [world.funded(1, 10_000n), world.funded(2, 10_000n)];
    world.place(SYMBOL, long, "buy 0.1 @ 60000 id=in");
    world.place(SYMBOL, short, "sell 0.1 @ 60000 id=in");
    world.keeper.endBlock(ctx);
    world.block(1, () => world.setPrice(BTC, "60000"));
    const start = ctx.gas.used;
    if (flags !== null)
      world.place(SYMBOL, long, `sell 0.1 @ 62000 id=twenty-bytes-of-name ${flags}`);
    const paid = ctx.gas.used - start;
    let used = 0n;
    for (let i = 0; i < most; i++) {
      const before = ctx.gas.used;
      world.keeper.endBlock(ctx);
      used += ctx.gas.used - before;
      world.block(1, () => world.setPrice(BTC, "60000"));
    }
    return { paid, used };
  };
  const without = gasOf(null);
  for (const reduces of ["reduce", ""]) {
    const { paid, used } = gasOf(`${reduces} twap=${most}/1000`);
    expect(paid).toBeGreaterThan(used - without.used);
    expect(paid).toBeLessThan(2n * (used - without.used));
  }
});

describe("in rounds", () => {
  beforeEach(() => start(true));

  it("the first slice is of the round of its TWAP, others of the round after the block in which they are due", () => {
    place(1, "buy 1 market twap=2/1000 id=t");
    place(9, "sell 9 @ 60000 id=ask");
    end();
    end();
    expect([lots(1), slices()]).toEqual([500, ["1: 0.5/0.5"]]);
    end();
    // It was due at the end of this block.
    expect([lots(1), waiting(1).length]).toEqual([500, 1]);
    end();
    expect([lots(1), waiting(1)]).toEqual([1000, []]);
  });

  it("what a market that closes keeps from opening goes back", () => {
    place(1, "sell 0.1 @ 60000 id=in");
    place(9, "buy 0.1 @ 60000 id=in");
    end();
    end();
    place(1, "buy 1 market twap=2/1000 id=t");
    place(9, "sell 0.1 @ 60000 id=ask");
    end();
    const closing = { status: MarketStatus.MARKET_STATUS_CLOSE_ONLY, terms: undefined };
    venue.keeper.updateMarket(venue.ctx, SYMBOL, closing);
    venue.keeper.endRound(venue.ctx);
    expect([lots(1), slices()]).toEqual([0, ["1: 0.1/0.5 reduce_only"]]);
    expect(told("twap_slice")).toMatchObject([{ remaining: "0.9" }]);
    expect(venue.violation()).toBeNull();
  });

  it.each(["one", "all"])("a cancel of %s takes out the slice that is due", (what) => {
    place(1, "buy 1 market twap=2/1000 id=t");
    place(9, "sell 9 @ 60000 id=ask");
    end();
    end();
    end();
    const { ctx, keeper } = venue;
    const plain = ctx.header;
    ctx.header = { ...plain, round: plain.height };
    if (what === "all") keeper.cancelAll(ctx, venue.account(1), SYMBOL);
    else keeper.cancel(ctx, venue.account(1), { market: SYMBOL, orderId: 0n, clientId: "t" });
    ctx.header = plain;
    end();
    expect([lots(1), waiting(1), slices()]).toEqual([500, [], ["1: 0.5/0.5"]]);
    expect(venue.clearing.account(ctx, venue.account(1))?.feeReserve).toBe(0n);
  });

  it("keeps the slice that is due through an export, whether the TWAP waits or is still to come", () => {
    place(1, "buy 1 market twap=2/1000 id=t");
    place(9, "sell 9 @ 60000 id=ask");
    end();
    end();
    end();
    place(2, "buy 1 market twap=2/1000 id=late");
    const { genesis } = venue.module;
    const fresh = createTestVenue();
    const listed = fresh.venue.state.markets.get(fresh.ctx, 1);
    if (listed === undefined) throw new Error("expected a market");
    removeMarket(fresh.ctx, fresh.venue, listed);
    if (genesis.kind !== "proto" || fresh.module.genesis.kind !== "proto")
      throw new Error("expected proto genesis");
    const bytes = genesis.export(venue.ctx);
    fresh.module.genesis.init(fresh.ctx, bytes);
    const state = GenesisState.decode(fresh.module.genesis.export(fresh.ctx));
    const { collectedOrders, waitingOrders } = state;
    expect(waitingOrders).toEqual(GenesisState.decode(bytes).waitingOrders);
    expect(waitingOrders.map(({ dueSequence }) => dueSequence > 0n)).toEqual([true]);
    expect(collectedOrders.map(({ waiting: one }) => one?.slices)).toEqual([2]);
  });
});

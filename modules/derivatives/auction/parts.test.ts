import {
  QueryAuctionRequest,
  QueryAuctionResponse,
} from "@keel/proto/gen/keel/derivatives/v1/query";
import { beforeEach, describe, expect, it } from "vitest";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";

const COLLECTED = 8;

let venue: TestVenue;

describe.each([
  { matched: "by auction", rounds: false },
  { matched: "in rounds", rounds: true },
])("in a market matched $matched", ({ rounds }) => {
  beforeEach(() => {
    const auction = { ...defaultAuctionTerms(), interruptionMs: 0n, inclusionLists: rounds };
    venue = createTestVenue(testMarket({ terms: { ...defaultTerms(), auction } }), 1_000_000_000n);
    venue.setPrice(60_000);
  });

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

  /** Until what was placed in this block has been in its auction. */
  function auction(price = 60_000): void {
    end(price);
    if (rounds) end(price);
  }

  const place = (n: number, text: string) => venue.place(venue.account(n), text);
  const lots = (n: number) => venue.clearing.positionLots(venue.ctx, venue.account(n), 1);
  const cancel = (n: number, clientId: string) =>
    venue.keeper.cancel(venue.ctx, venue.account(n), { market: SYMBOL, orderId: 0n, clientId });
  /** "tp:2 sl:2" */
  const waiting = (n: number): string => {
    const of = venue.account(n).slice(0, 20);
    const all: string[] = [];
    venue.venue.state.waiting.each(venue.ctx, (_key, { clientId, owner, remainingLots }) => {
      if (String.fromCharCode(...owner) === of)
        all.push(`${clientId || "-"}:${Number(remainingLots) / 1000}`);
    });
    return all.join(" ");
  };
  const queryIndicative = (): QueryAuctionResponse => {
    const route = venue.module.queries.find(({ path }) => path.endsWith("/Auction"));
    const request = QueryAuctionRequest.encode({ market: SYMBOL }).finish();
    if (route === undefined) throw new Error("expected a query of auctions");
    return QueryAuctionResponse.decode(route.handle(venue.ctx, request));
  };
  const told = (type: string) =>
    venue.ctx.events
      .filter((event) => event.type === type)
      .map(({ attributes }) =>
        Object.fromEntries(attributes.map(({ key, value }) => [key, value])),
      );

  describe("an iceberg", () => {
    const parts = (): string[] => {
      const all: string[] = [];
      venue.venue.state.orders.each(venue.ctx, (_key, { hiddenLots, remainingLots }) => {
        all.push(`${remainingLots}+${hiddenLots}`);
      });
      return all;
    };

    it("shows a part, trades one in each auction, and reserves the whole", () => {
      expect(place(1, "sell 3 @ 60000 show=1 id=ice").status).toBe(COLLECTED);
      expect(venue.violation()).toBeNull();
      auction();
      expect([venue.book(), parts()]).toEqual([" | 60000:1", ["1000+2000"]]);
      place(2, "buy 5 @ 60000 id=b");
      auction();
      expect(lots(2)).toBe(1000n);
      const fills = told("auction_fill").filter(({ client_id: name }) => name === "ice");
      expect(fills).toMatchObject([{ size: "1", remaining: "2" }]);
      end();
      expect(lots(2)).toBe(2000n);
      end();
      expect([lots(1), lots(2), venue.book()]).toEqual([-3000n, 3000n, "60000:2 | "]);
    });

    it("that waits for a trigger shows no more when it has fired", () => {
      place(1, "sell 3 @ 60400 profit=60300 show=1 id=ice");
      auction();
      end(60_350);
      if (rounds) end(60_350);
      expect([venue.book(), parts()]).toEqual([" | 60400:1", ["1000+2000"]]);
      expect(cancelled(1, "ice")).toBe("3");
    });

    it("that only reduces is cut to the position, hidden parts first", () => {
      place(1, "buy 2 @ 60000 id=in");
      place(2, "sell 2 @ 60000 id=in");
      auction();
      place(1, "sell 3 @ 60100 show=1 reduce id=ice");
      auction();
      expect(parts()).toEqual(["1000+1000"]);
    });

    it("is taken in parts that are worth an order each, no more than a hundred of them", () => {
      expect(() => place(1, "sell 3 @ 60000 show=3 id=a")).toThrow("display size");
      expect(() => place(1, "sell 3 @ 60000 show=0.02 id=a")).toThrow("display size");
      expect(() => place(1, "sell 3 @ 60000 show=1")).toThrow("named by its client id");
    });

    it("counts with what shows where the next auction is asked for", () => {
      place(1, "sell 3 @ 60000 show=1 id=ice");
      place(2, "buy 5 @ 60000 id=b");
      const found = queryIndicative();
      expect([found.indicativePrice, found.indicativeVolume]).toEqual(["60000", "1"]);
    });

    function cancelled(n: number, clientId: string): string | undefined {
      cancel(n, clientId);
      if (rounds) {
        end(60_350);
        end(60_350);
      }
      return told("order_cancelled").at(-1)?.["size"];
    }
  });

  describe("a bracket", () => {
    it("begins with the fill of its auction, and one of its orders ends the other", () => {
      place(1, "buy 2 @ 60000 tp=61000 sl=59000 tpid=tp slid=sl id=in");
      place(2, "sell 2 @ 60000 id=a");
      auction();
      expect([lots(1), waiting(1)]).toEqual([2000n, "sl:2 tp:2"]);
      place(3, "buy 1.5 @ 58900 id=bid");
      auction();
      end(58_950);
      if (rounds) end(58_950);
      // What the stop was filled is taken off the take-profit; what it was not filled is gone with its auction.
      expect([lots(1), waiting(1)]).toEqual([500n, "tp:0.5"]);
    });

    it("grows with each fill, and its orders need no names of their own", () => {
      place(1, "buy 2 @ 60000 tp=61000 sl=59000 id=in");
      place(2, "sell 0.5 @ 60000 id=a");
      auction();
      expect(waiting(1)).toBe("-:0.5 -:0.5");
      place(2, "sell 1 @ 60000 id=b");
      auction();
      expect(waiting(1)).toBe("-:1.5 -:1.5");
      // What rests of the entry would cancel out with the take-profit.
      cancel(1, "in");
      place(3, "buy 4 @ 61000 id=bid");
      auction(61_000);
      end(61_000);
      expect([lots(1), waiting(1)]).toEqual([0n, ""]);
    });

    it("belongs to a conditional order, too", () => {
      place(1, "buy 2 market stop=60500 sl=59000 slid=sl id=in");
      place(2, "sell 2 @ 60600 id=a");
      auction();
      expect(waiting(1)).toBe("in:2");
      end(60_600);
      if (rounds) end(60_600);
      expect([lots(1), waiting(1)]).toEqual([2000n, "sl:2"]);
    });

    it("does not fire in the auction that begins it, though its trigger is reached", () => {
      place(3, "buy 5 @ 59000 id=bid");
      place(1, "buy 2 @ 60000 sl=60000 slid=sl id=in");
      place(2, "sell 2 @ 60000 id=a");
      auction();
      expect([lots(1), lots(3)]).toEqual([2000n, 0n]);
      end();
      expect([lots(1), lots(3)]).toEqual([0n, 2000n]);
    });

    it("gives up a name that is in use", () => {
      place(1, "buy 1 @ 59000 id=x");
      place(1, "buy 2 @ 60000 sl=59500 slid=x id=in");
      place(2, "sell 2 @ 60000 id=a");
      auction();
      expect([lots(1), waiting(1)]).toEqual([2000n, "-:2"]);
    });

    it("counts toward the open orders that an account may have", () => {
      const terms = venue.venue.state.markets.get(venue.ctx, 1)?.terms;
      const most = terms?.openOrdersMax ?? 0;
      for (let n = 2; n < most; n++) place(1, `buy 0.1 @ 59000 id=o${n}`);
      expect(() => place(1, "buy 1 @ 60000 tp=61000 sl=59000 id=in")).toThrow("open orders");
      expect(place(1, "buy 1 @ 60000 tp=61000 id=in").status).toBe(COLLECTED);
    });
  });
});

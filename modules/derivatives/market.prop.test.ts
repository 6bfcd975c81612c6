import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AccountId } from "../kit/account-id.ts";
import { atomically } from "../kit/atomically.ts";
import { ModuleError } from "../kit/errors.ts";
import { createRandom } from "./random.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "./testing.ts";
import { parseOco } from "./waiting/pairs.ts";

/** One random operation; refusals are part of life. Returns what happened, for comparing two runs. */
function step(venue: TestVenue, random: (bound: number) => number): string {
  const account = venue.account(1 + random(5), random(2));
  const dice = random(100);
  const side = random(2) === 0 ? "buy" : "sell";
  try {
    if (dice < 20) return JSON.stringify(stepWaiting(venue, account, side, random), plain);
    if (dice < 30) {
      const orderId = BigInt(1 + random(40));
      const named = random(2) === 0;
      const change = random(3);
      const amendment = {
        market: SYMBOL,
        orderId: named ? 0n : orderId,
        clientId: named ? `n${random(6)}` : "",
        price: change === 0 ? "" : `${59_800 + random(41) * 10}`,
        size: change === 1 ? "" : `${(1 + random(9)) / 2}`,
        triggerPrice: random(8) === 0 ? `${59_900 + random(21) * 10}` : "",
        selfTradePrevention: random(4) as 0 | 1 | 2 | 3,
      };
      return JSON.stringify(
        atomically(venue.ctx, (ctx) => venue.keeper.amend(ctx, account, amendment)),
        plain,
      );
    }
    if (dice < 62) {
      const price = 59_800 + random(41) * 10;
      const flags = [
        "",
        "",
        "",
        " post",
        " ioc",
        " fok",
        " reduce",
        " ioc reduce",
        " taker",
        " both",
        " decrement",
        " show=0.5",
        " tp=60100 sl=59900",
        ` block=${venue.ctx.header.height + random(4)}`,
      ];
      const name = random(4) === 0 ? ` id=n${random(6)}` : "";
      const till = Number(venue.ctx.header.timeNs / 1_000_000n) + 500 + random(5000);
      const flag = flags[random(flags.length)] ?? "";
      const expires = random(6) === 0 && !flag.includes("ioc") && !flag.includes("fok");
      const until = expires ? ` til=${till}` : "";
      const size = (1 + random(9)) / 2;
      return JSON.stringify(
        venue.place(account, `${side} ${size} @ ${price}${flag}${name}${until}`),
        plain,
      );
    }
    if (dice < 70)
      return JSON.stringify(venue.place(account, `${side} ${1 + random(4)} market`), plain);
    if (dice < 82) {
      const name = { market: SYMBOL, orderId: 0n, clientId: `n${random(6)}` };
      return JSON.stringify(venue.keeper.cancel(venue.ctx, account, name), plain);
    }
    if (dice < 85) return `${venue.keeper.cancelAll(venue.ctx, account, "")}`;
    if (dice < 89) {
      const position = venue.clearing.positionLots(venue.ctx, account, 1);
      if (position === 0n) return "flat";
      venue.keeper.cancelOrders(venue.ctx, account, "liquidation");
      const lots = position < 0n ? -position : position;
      const order = {
        market: 1,
        account,
        side: position > 0n ? "sell" : "buy",
        lots,
        limitTicks: position > 0n ? 1n : 10n ** 7n,
      } as const;
      return `${venue.keeper.liquidateAtBook(venue.ctx, order)}`;
    }
    if (dice < 94) {
      venue.keeper.endBlock(venue.ctx);
      venue.ctx.nextBlock(1);
      venue.setPrice(59_900 + random(200));
      venue.keeper.beginBlock(venue.ctx);
      return "block";
    }
    const status = random(4) === 0 ? 2 : 1;
    venue.keeper.updateMarket(venue.ctx, SYMBOL, { status, terms: undefined });
    return `status ${status}`;
  } catch (error) {
    if (error instanceof ModuleError) return `${error.codespace}${error.code}`;
    throw error;
  }
}

/** Orders that wait, pairs, dead men. */
function stepWaiting(
  venue: TestVenue,
  account: AccountId,
  side: "buy" | "sell",
  random: (bound: number) => number,
): unknown {
  const { ctx, keeper } = venue;
  const size = (1 + random(9)) / 2;
  const near = (): number => 59_850 + random(31) * 10;
  const name = random(3) === 0 ? ` id=n${random(6)}` : "";
  const reduce = random(2) === 0 ? " reduce" : "";
  switch (random(9)) {
    case 0:
      return venue.place(account, `${side} ${size} market stop=${near()}${reduce}${name}`);
    case 1:
      return venue.place(account, `${side} ${size} @ ${near()} profit=${near()}${name}`);
    case 2:
      return venue.place(
        account,
        `${side} ${size} market trail=${10 + random(90)}${reduce}${name}`,
      );
    case 3:
      return venue.place(account, `${side} ${size} market trail=${200 + random(2000)}ppm${name}`);
    case 4:
      return venue.place(
        account,
        `${side} ${size} market twap=${2 + random(4)}/1000${reduce}${name}`,
      );
    case 5:
    case 6: {
      const first = `${side} ${size} @ ${near()}${reduce}`;
      const legs = [first, `${side} ${size} market stop=${near()}${reduce}`].map(venue.order);
      if (random(2) === 0) legs.reverse();
      const parsed = parseOco({ sender: "", owner: "", subaccount: 0, legs });
      return atomically(ctx, (inner) => keeper.placeOco(inner, account, parsed));
    }
    case 7: {
      const now = venue.ctx.header.timeNs / 1_000_000n;
      const deadline = random(3) === 0 ? 0n : now + 500n + BigInt(random(5000));
      atomically(ctx, (inner) => keeper.setDeadMan(inner, account, deadline));
      return "set";
    }
    default:
      return venue.place(account, `${side} ${size} @ ${near()} stop=${near()} show=0.5${name}`);
  }
}

const plain = (_key: string, value: unknown): unknown =>
  typeof value === "bigint" ? `${value}` : value;

function snapshot(venue: TestVenue): string {
  const entries: string[] = [];
  for (let collection = 0; collection < 13; collection++) {
    venue.ctx.state.range(collection, "", undefined, (key, value) => {
      entries.push(`${collection} ${key} ${JSON.stringify(value, plain)}`);
    });
  }
  return entries.join("\n");
}

describe("a market under random orders", () => {
  it("keeps every invariant, sums to zero, and reverts to exactly where it was", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (seed) => {
        const generator = createRandom(seed);
        const random = (bound: number): number => generator.below(bound);
        const market = testMarket();
        const venue = createTestVenue(
          { ...market, terms: { ...market.terms!, openOrdersMax: 12, fillsPerOrderMax: 6 } },
          12_000n,
        );
        for (let i = 0; i < 120; i++) {
          if (random(10) === 0) {
            const before = [snapshot(venue), venue.book(), venue.clearing.trades.length];
            const { header } = venue.ctx;
            const savepoint = venue.ctx.state.savepoint();
            for (let n = random(6); n >= 0; n--) step(venue, random);
            venue.ctx.state.revert(savepoint);
            venue.ctx.header = header;
            expect([snapshot(venue), venue.book(), venue.clearing.trades.length]).toEqual(before);
          } else {
            step(venue, random);
          }
          expect(venue.violation()).toBeNull();
        }
        // Nothing stays reserved for orders that are gone.
        for (let n = 1; n <= 5; n++) {
          for (const sub of [0, 1])
            venue.keeper.cancelOrders(venue.ctx, venue.account(n, sub), "user");
        }
        expect(venue.book()).toBe(" | ");
        for (let n = 1; n <= 5; n++) {
          for (const sub of [0, 1]) {
            const left = venue.clearing.account(venue.ctx, venue.account(n, sub));
            expect(left?.feeReserve).toBe(0n);
            for (const { openBuyLots, openSellLots } of left?.positions ?? []) {
              expect([openBuyLots, openSellLots]).toEqual([0n, 0n]);
            }
          }
        }
        let sum = 0n;
        for (let n = 1; n <= 5; n++) {
          for (const sub of [0, 1])
            sum += venue.clearing.positionLots(venue.ctx, venue.account(n, sub), 1);
        }
        expect(sum).toBe(0n);
        // A maker is never paid more than the taker of the same trade paid.
        for (const { buyer, seller } of venue.clearing.trades) {
          expect(buyer.feeQuanta + seller.feeQuanta).toBeGreaterThanOrEqual(0n);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("gives the same results and the same state when run again, also on a fork that rebuilds its books", () => {
    for (const seed of [11, 12, 13]) {
      const runs = [false, true].map((rebuild) => {
        const generator = createRandom(seed);
        const venue = createTestVenue(testMarket(), 12_000n);
        const results: string[] = [];
        for (let i = 0; i < 400; i++) {
          if (rebuild && i % 7 === 0) {
            venue.venue.books.forget(venue.ctx);
            venue.venue.waiting.forget(venue.ctx);
          }
          results.push(step(venue, (bound) => generator.below(bound)));
        }
        return { results, state: snapshot(venue), events: venue.ctx.events };
      });
      expect(runs[1]).toEqual(runs[0]);
      // Mostly real work, not refusals.
      const accepted = runs[0]!.results.filter((result) => result.startsWith("{")).length;
      expect(accepted).toBeGreaterThan(120);
    }
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defaultAuctionTerms, defaultTerms } from "../defaults.ts";
import { createTestVenue, SYMBOL, type TestVenue, testMarket } from "../testing.ts";

/** A transaction: what it does, and whether validators held it before they voted on the block before. */
interface Act {
  readonly account: number;
  readonly text: string;
  readonly early: boolean;
  /** What the proposer of its block does with it, if it can. */
  readonly leftOut: boolean;
  /** Where in the block. */
  readonly place: number;
}

const BLOCKS = 5;
const ACCOUNTS = 5;

const order = fc
  .record({
    side: fc.constantFrom("buy", "sell"),
    ticks: fc.integer({ min: -6, max: 6 }),
    lots: fc.integer({ min: 1, max: 40 }),
    force: fc.constantFrom("", " ioc", " reduce"),
  })
  .map(({ side, ticks, lots, force }) => `${side} ${lots / 1000} @ ${60_000 + ticks / 2}${force}`);

const act = fc.record({
  account: fc.integer({ min: 1, max: ACCOUNTS }),
  text: fc.oneof(
    { weight: 5, arbitrary: order },
    { weight: 2, arbitrary: fc.constant("cancel") },
    { weight: 1, arbitrary: fc.constant("all") },
  ),
  early: fc.boolean(),
  leftOut: fc.boolean(),
  place: fc.nat(1000),
});

const blocks = fc.array(fc.array(act, { maxLength: 10 }), {
  minLength: BLOCKS,
  maxLength: BLOCKS,
});

interface Named extends Act {
  readonly clientId: string;
  /** The round it is of, by when validators had it. */
  readonly round: number;
}

/** Acts with names that no two share. A cancel names one of the account's orders of any block before, or of its own. */
function named(all: readonly (readonly Act[])[]): Named[][] {
  const orders = new Map<number, string[]>();
  return all.map((acts, block) =>
    acts.map((one, n) => {
      const own = orders.get(one.account) ?? [];
      orders.set(one.account, own);
      const isOrder = one.text !== "cancel" && one.text !== "all";
      if (isOrder) own.push(`b${block}n${n}`);
      const clientId = isOrder ? `b${block}n${n}` : (own[one.place % own.length] ?? "none");
      return { ...one, clientId, round: one.early ? block + 1 : block + 2 };
    }),
  );
}

function perform(venue: TestVenue, one: Named): void {
  const { ctx, keeper } = venue;
  const account = venue.account(one.account);
  if (one.text === "all") keeper.cancelAll(ctx, account, SYMBOL);
  else if (one.text === "cancel")
    keeper.cancel(ctx, account, { market: SYMBOL, orderId: 0n, clientId: one.clientId });
  else venue.place(account, `${one.text} id=${one.clientId}`);
}

/** What happened in each round, in its auctions' events, with the book and the positions at the end. */
function play(all: readonly (readonly Named[])[], dishonest: boolean): unknown {
  const auction = { ...defaultAuctionTerms(), interruptionMs: 0n, inclusionLists: true };
  const venue = createTestVenue(
    testMarket({ terms: { ...defaultTerms(), auction } }),
    1_000_000_000n,
  );
  const { ctx, keeper } = venue;
  let due: number[] = [];
  Object.assign(venue.venue.oracle, { roundsDue: () => due });
  for (let n = 1; n <= ACCOUNTS; n++) venue.account(n);
  const told: string[] = [];
  let brought: Named[] = [];
  let postponed = false;
  for (let block = 0; block < BLOCKS + 3; block++) {
    const height = block + 1;
    const fresh = all[block] ?? [];
    const kept = fresh.filter((one) => !(dishonest && one.leftOut));
    const left = fresh.filter((one) => !kept.includes(one));
    const sequence = [
      ...brought.map((one) => ({ one, round: one.round })),
      // Unnamed: in the round after its block.
      ...kept.map((one) => ({ one, round: one.early ? height : undefined })),
    ].sort((a, b) => a.one.place - b.one.place || (a.one.clientId < b.one.clientId ? -1 : 1));
    const plain = ctx.header;
    for (const { one, round } of sequence) {
      ctx.header = round === undefined ? plain : { ...plain, round };
      perform(venue, one);
    }
    ctx.header = plain;
    const missing = left.some(({ early }) => early);
    due = [...(postponed ? [height - 1] : []), ...(missing ? [] : [height])];
    ctx.events.length = 0;
    keeper.endBlock(ctx);
    expect(venue.violation()).toBeNull();
    for (const { type, attributes } of ctx.events) {
      if (!/^auction_|^order_(cancelled|reduced|placed)/.test(type)) continue;
      told.push([type, ...attributes.map(({ key, value }) => `${key}=${value}`)].join(" "));
    }
    ctx.events.length = 0;
    postponed = missing;
    brought = left;
    ctx.nextBlock(1);
    keeper.beginBlock(ctx);
  }
  const positions = Array.from({ length: ACCOUNTS }, (_, n) =>
    venue.clearing.positionLots(ctx, venue.account(n + 1), 1),
  );
  return { told, book: venue.book(), positions };
}

describe("a proposer of a market in rounds", () => {
  test("changes nothing by the sequence of its block or by what it leaves out of it for the next one", () => {
    fc.assert(
      fc.property(blocks, (all) => {
        const acts = named(all);
        expect(play(acts, true)).toEqual(play(acts, false));
      }),
      { numRuns: Number(process.env.KEEL_ROUNDS_RUNS ?? 150) },
    );
  });
});

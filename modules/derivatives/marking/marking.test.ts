/** Marks at a median on real markets: what they change, and what they leave alone. */
import { GenesisState } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import { QueryMarkRequest, QueryMarkResponse } from "@keel/proto/gen/keel/derivatives/v1/marks";
import { describe, expect, it } from "vitest";
import {
  BTC,
  createWorld,
  HOUR_MS,
  maturity,
  optionMarket,
  START_MS,
  VOL,
  type World,
} from "../../testing/world.ts";
import { defaultTerms, linearPerpetual } from "../defaults.ts";
import { defaultMarkTerms } from "./terms.ts";

const PERP = "BTC-USD-PERP";
const EXTERNAL = 3;

function perpetual(external = 0) {
  const market = linearPerpetual({
    symbol: PERP,
    baseAsset: "BTC",
    quoteAsset: "USD",
    feedId: BTC,
    tickSize: "0.5",
    lotSize: "0.001",
  });
  const mark = { ...defaultMarkTerms(), externalFeedId: external };
  return { ...market, terms: { ...defaultTerms(), mark } };
}

/** Index 60,000; a book 150 above it; blocks of a second. */
function quoted(external = 0): World {
  const world = createWorld();
  world.setPrice(BTC, "60000");
  world.setPrice(VOL, "0.6");
  world.list(perpetual(external));
  world.block();
  const [a, b] = [world.funded(1, 600_000n), world.funded(2, 600_000n)];
  world.trade(PERP, a, b, "0.1", "60150");
  world.place(PERP, a, "sell 2 @ 60160 post");
  world.place(PERP, b, "buy 2 @ 60140 post");
  return world;
}

const markOf = (world: World) => world.keeper.mark(world.ctx, 1);

function parts(world: World): QueryMarkResponse {
  const route = world.module.queries.find(({ path }) => path.endsWith("/Mark"));
  if (route === undefined) throw new Error("no query Mark");
  const request = QueryMarkRequest.encode({ market: PERP }).finish();
  return QueryMarkResponse.decode(route.handle(world.ctx, request));
}

describe("a perpetual with terms of the mark", () => {
  it("is marked at the index first, and then follows its book as the means do", () => {
    const world = quoted();
    expect(markOf(world)?.ticks).toBe(120_000n);
    const seen: string[] = [];
    for (let i = 0; i < 300; i++) {
      world.block();
      if (i % 60 === 0) seen.push(parts(world).mark);
    }
    // The mean of 30 s is the middle one: above that of 150 s, below the book.
    expect(seen).toEqual(["60005", "60129.5", "60147", "60149.5", "60150"]);
    expect(parts(world)).toMatchObject({
      index: "60000",
      book: "60150",
      external: false,
      bandPpm: 5_000n,
      clamped: false,
      fresh: true,
    });
    expect(world.violation()).toBeNull();
  });

  it("stands through the block: no order moves the mark it is judged at", () => {
    const world = quoted();
    for (let i = 0; i < 30; i++) world.block();
    const before = markOf(world);
    const [a, b] = [world.funded(3, 600_000n), world.funded(4, 600_000n)];
    world.place(PERP, b, "buy 2 @ 60160 ioc");
    world.trade(PERP, a, b, "1", "61000");
    expect(markOf(world)).toBe(before);
  });

  it("is clamped to the band around the index, which widens with the deviation of a minute's move", () => {
    const world = quoted();
    for (let i = 0; i < 600; i++) world.block();
    world.block(1, () => world.setPrice(BTC, "59000"));
    expect(parts(world)).toMatchObject({ mark: "59182.5", clamped: false });
    for (let i = 0; i < 400; i++) world.block();
    expect(parts(world)).toMatchObject({ mark: "59295", clamped: true });
    world.block(1, () => world.setPrice(BTC, "59000", true, { sigmaPpm: 1_000n }));
    expect(parts(world)).toMatchObject({ mark: "59395.5", bandPpm: 6_708n, clamped: true });
  });

  it("takes an external perpetual's feed while that is fresh", () => {
    const world = quoted(EXTERNAL);
    world.block(1, () => world.setPrice(EXTERNAL, "60080"));
    expect(parts(world)).toMatchObject({ third: "60080", external: true, mark: "60080" });
    world.block(1, () => world.setPrice(EXTERNAL, "60080", false));
    expect(parts(world)).toMatchObject({ external: false });
  });

  it("leaves funding at the index: its premium and what it accrues on are as without the terms", () => {
    const withTerms = quoted();
    const without = createWorld();
    without.setPrice(BTC, "60000");
    without.list({ ...perpetual(), terms: defaultTerms() });
    without.block();
    const [a, b] = [without.funded(1, 600_000n), without.funded(2, 600_000n)];
    without.trade(PERP, a, b, "0.1", "60150");
    without.place(PERP, a, "sell 2 @ 60160 post");
    without.place(PERP, b, "buy 2 @ 60140 post");
    for (let i = 0; i < 130; i++) {
      withTerms.block(60);
      without.block(60);
    }
    const funding = (world: World) => world.venue.state.funding.get(world.ctx, 1);
    expect(funding(withTerms)).toEqual(funding(without));
    expect(funding(withTerms)?.rate8hPpm).not.toBe(0n);
    expect(markOf(withTerms)?.ticks).not.toBe(markOf(without)?.ticks);
  });

  it("does not touch options, nor what anything settles at", () => {
    const world = quoted();
    const option = optionMarket("BTC-C", maturity(START_MS + 2 * HOUR_MS), { strike: "60000" });
    world.list(option);
    for (let i = 0; i < 100; i++) world.block();
    const plain = createWorld();
    plain.setPrice(BTC, "60000");
    plain.setPrice(VOL, "0.6");
    plain.list({ ...perpetual(), terms: defaultTerms() });
    plain.block();
    plain.list(option);
    for (let i = 0; i < 100; i++) plain.block();
    expect(world.keeper.mark(world.ctx, 2)).toEqual(plain.keeper.mark(plain.ctx, 2));
    expect(() => world.list({ ...option, symbol: "X-C", terms: perpetual().terms })).toThrow();
  });

  it("survives an export, and loses its record with its terms", () => {
    const world = quoted();
    for (let i = 0; i < 10; i++) world.block();
    const genesis = world.exported();
    const again = createWorld({ from: { genesis, header: world.ctx.header } });
    again.setPrice(BTC, "60000");
    expect(again.exported()).toEqual(genesis);
    expect(parts(again)).toEqual(parts(world));
    world.keeper.updateMarket(world.ctx, PERP, { status: 0, terms: defaultTerms() });
    expect(markOf(world)?.ticks).toBe(120_000n);
    expect(world.venue.state.markBasis.size(world.ctx)).toBe(0);
    expect(parts(world)).toMatchObject({ mark: "60000", book: "" });
  });

  it("is watched by an invariant, and refused in genesis without its terms or out of range", () => {
    const world = quoted();
    world.block();
    const basis = world.venue.state.markBasis.get(world.ctx, 1);
    if (basis === undefined) throw new Error("no record");
    world.venue.state.markBasis.set(world.ctx, 1, { ...basis, slow: 1n << 62n });
    expect(world.violation()).toBe("derivatives marks-sound: market 1: a mean is out of range");
    const index = world.modules.findIndex(({ name }) => name === "derivatives");
    const all = [...world.exported()];
    expect(() => createWorld({ from: { genesis: all, header: world.ctx.header } })).toThrow(
      "a mean",
    );
    const mine = GenesisState.decode(all[index] as Uint8Array);
    const entry = mine.markets[0];
    if (entry?.market?.terms === undefined) throw new Error("nothing exported");
    entry.market.terms = { ...entry.market.terms, mark: undefined };
    all[index] = GenesisState.encode(mine).finish();
    expect(() => createWorld({ from: { genesis: all, header: world.ctx.header } })).toThrow(
      "no terms",
    );
    world.venue.state.markBasis.set(world.ctx, 9, basis);
    world.venue.state.markBasis.set(world.ctx, 1, basis);
    expect(world.violation()).toBe("derivatives marks-sound: market 9: is not marked by its book");
  });
});

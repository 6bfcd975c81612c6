import { describe, expect, it } from "vitest";
import {
  BTC,
  createWorld,
  DENOM,
  futureMarket,
  HOUR_MS,
  maturity,
  START_MS,
  type World,
} from "../../testing/world.ts";
import { DERIVATIVES_CODES } from "../errors.ts";

const EXPIRY = START_MS + HOUR_MS;

/** One future with its window open. */
function listed(): World {
  const world = createWorld();
  world.setPrice(BTC, "60000");
  world.list(futureMarket("F", maturity(EXPIRY)));
  world.block(1800);
  expect(world.violation()).toBeNull();
  return world;
}

const key = [BTC, EXPIRY, 1_800_000] as const;

describe("the invariants of dated contracts", () => {
  const broken: [string, string, (world: World) => void][] = [
    [
      "a step that is not queued",
      "is not in the queue",
      ({ venue, ctx }) => {
        venue.state.due.delete(ctx, [EXPIRY, 1]);
      },
    ],
    [
      "a step of nothing",
      "2 steps queued, 1 due",
      ({ venue, ctx }) => {
        venue.state.due.set(ctx, [EXPIRY + 1, 1], true);
      },
    ],
    [
      "a market in the wrong set",
      "is in the wrong set",
      ({ venue, ctx }) => {
        venue.state.settling.set(ctx, 1, true);
      },
    ],
    [
      "a market that is not listed",
      "a market settles that is not listed",
      ({ venue, ctx }) => {
        venue.state.settling.set(ctx, 2, true);
      },
    ],
    [
      "a settlement counted wrong",
      "counts 2 markets",
      ({ venue, ctx }) => {
        venue.state.settlements.set(ctx, key, {
          ...venue.state.settlements.get(ctx, key)!,
          markets: 2,
        });
      },
    ],
    [
      "a missing settlement",
      "has no settlement record",
      ({ venue, ctx }) => {
        venue.state.settlements.delete(ctx, key);
      },
    ],
    [
      "a window that is not queued",
      "is not queued",
      ({ venue, ctx }) => {
        venue.state.windows.delete(ctx, [EXPIRY, key]);
      },
    ],
    [
      "a window of nothing",
      "without its settlement",
      ({ venue, ctx }) => {
        venue.state.windows.set(ctx, [EXPIRY + 1, key], true);
      },
    ],
    [
      "an integral for nobody",
      "integrates for 2 windows",
      ({ venue, ctx }) => {
        venue.state.aggregates.set(ctx, BTC, {
          ...venue.state.aggregates.get(ctx, BTC)!,
          windows: 2,
        });
      },
    ],
    [
      "no integral",
      "an open window has no integral",
      ({ venue, ctx }) => {
        venue.state.aggregates.delete(ctx, BTC);
      },
    ],
    [
      "a bond without coins",
      "bonds of 5uusdc, held 0",
      ({ venue, ctx }) => {
        const bond = { market: 1, owner: "", denom: DENOM, amount: "5", returnsMs: 0n };
        venue.state.bonds.set(ctx, 1, bond);
      },
    ],
    [
      "a bond of nothing",
      "a bond stands for market 7",
      ({ venue, ctx }) => {
        const bond = { market: 7, owner: "", denom: DENOM, amount: "5", returnsMs: 0n };
        venue.state.bonds.set(ctx, 7, bond);
      },
    ],
  ];

  it.each(broken)("see %s", (_name, message, breakIt) => {
    const world = listed();
    breakIt(world);
    expect(world.violation()).toContain(message);
  });
});

describe("genesis of dated contracts", () => {
  it("comes back from an export as it was, and refuses one that disagrees with itself", () => {
    const world = listed();
    const from = { genesis: world.exported(), header: world.ctx.header };
    const copy = createWorld({ from });
    expect(copy.stored()).toEqual(world.stored());
    const { state } = world.venue;
    state.settlements.set(world.ctx, key, {
      ...state.settlements.get(world.ctx, key)!,
      markets: 3,
    });
    const wrong = { genesis: world.exported(), header: world.ctx.header };
    expect(() => createWorld({ from: wrong })).toThrow("counts 3 markets");
    expect(DERIVATIVES_CODES.marketExpired).toBe(30);
  });

  it("gives a hand-written dated market its settlement record", () => {
    const world = createWorld({
      genesisMarkets: [
        futureMarket("F-1", maturity(EXPIRY)),
        futureMarket("F-2", maturity(EXPIRY)),
      ],
    });
    expect(world.violation()).toBeNull();
    expect(world.venue.state.settlements.get(world.ctx, key)?.markets).toBe(2);
  });
});

import { GenesisState } from "@keel/proto/gen/keel/margin/v1/genesis";
import {
  QueryDynamicMarginRequest,
  QueryDynamicMarginResponse,
} from "@keel/proto/gen/keel/margin/v1/query";
import { MsgSetDynamicMargin } from "@keel/proto/gen/keel/margin/v1/tx";
import { beforeEach, describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { createAddresses } from "../../kit/addresses.ts";
import { ModuleError } from "../../kit/errors.ts";
import { BTC, btcTerms, createWorld, DENOM, type World } from "../testing/world.ts";
import { defaultDynamicMargin } from "./terms.ts";

const UNIT = 1_000_000n;
const FLAT = [{ aboveQuanta: 0n, initialPpm: 100_000n, maintenancePpm: 50_000n }];
const PRICE = 5_000_000n;

let world: World;
let gov: string;
let long: AccountId;
let short: AccountId;

beforeEach(() => {
  world = createWorld();
  const { ctx, markets, margin } = world;
  gov = margin.keeper.params(ctx).authority;
  markets.list(ctx, btcTerms({ tiers: FLAT }));
  long = world.funded(1, 200n * UNIT);
  short = world.funded(2, 5_000n * UNIT);
  priced(PRICE);
});

/** Two places; a tick of the market is one unit. */
function priced(mantissa: bigint, fresh = true): void {
  world.prices.set(BTC, { mantissa, exponent: -2, confidence: mantissa / 10_000n, fresh });
  world.markets.setMark(world.ctx, BTC, mantissa / 100n, fresh);
}

/** A base just above what the seed asks for: the multiplier begins at one. */
const terms = { ...defaultDynamicMargin(BTC), basePpm: 125_000n };

function set(wanted = terms, authority = gov, feedId = BTC): void {
  const route = world.margin.module.messages.find(({ typeUrl }) =>
    typeUrl.endsWith("MsgSetDynamicMargin"),
  );
  const message = MsgSetDynamicMargin.fromPartial({ authority, feedId, terms: wanted });
  route?.validate(message);
  route?.handle(world.ctx.signedBy(), message);
}

function off(): void {
  const route = world.margin.module.messages.find(({ typeUrl }) =>
    typeUrl.endsWith("MsgSetDynamicMargin"),
  );
  route?.handle(
    world.ctx.signedBy(),
    MsgSetDynamicMargin.fromPartial({ authority: gov, feedId: BTC }),
  );
}

function block(seconds = 60): void {
  world.ctx.nextBlock(seconds);
  world.margin.module.beginBlock?.(world.ctx);
}

function view() {
  const route = world.margin.module.queries.find(({ path }) => path.endsWith("/DynamicMargin"));
  const request = QueryDynamicMarginRequest.encode({ feedId: BTC }).finish();
  const bytes = route?.handle(world.ctx, request) ?? new Uint8Array(0);
  const [feed] = QueryDynamicMarginResponse.decode(bytes).feeds;
  if (feed?.state === undefined || feed.terms === undefined) throw new Error("no such feed");
  return { ...feed, state: feed.state, terms: feed.terms };
}

function trade(lots: bigint): void {
  const { ctx, markets } = world;
  const order = { market: BTC, ticks: 50_000n, lots };
  markets.rest(ctx, { ...order, account: short, side: "sell", feeReserve: 0n });
  const { refusal } = markets.take(ctx, { ...order, account: long, side: "buy", feePpm: 0n });
  if (refusal !== null) throw new Error("refused");
}

function moves(): (readonly [string, string, string])[] {
  return world.ctx.events
    .filter(({ type }) => type === "dynamic_margin")
    .map(({ attributes }) => {
      const of = (name: string): string => attributes.find(({ key }) => key === name)?.value ?? "";
      return [of("reason"), of("initial_ppm"), of("maintenance_ppm")] as const;
    });
}

/** Twenty minutes of swings of 6 %. */
function storm(): void {
  for (let i = 0; i < 20; i++) {
    priced(i % 2 === 0 ? (PRICE * 94n) / 100n : PRICE);
    block();
  }
}

describe("margin without terms", () => {
  it("stays as the market says, writes nothing and charges nothing", () => {
    const savepoint = world.ctx.state.savepoint();
    block();
    expect(world.ctx.state.savepoint()).toBe(savepoint);
    trade(10n);
    expect(world.margin.keeper.health(world.ctx, long)?.initial).toBe(50n * UNIT);
    expect(moves()).toEqual([]);
  });
});

describe("margin that follows volatility", () => {
  it("asks new risk for more at once, and existing positions hour by hour", () => {
    trade(10n);
    set();
    block();
    storm();
    priced(PRICE);
    block();
    const { state, targetPpm, cause } = view();
    expect(cause).toBe("measured");
    expect(targetPpm).toBeGreaterThan(1_100_000n);
    expect(state.initialPpm * 1_010_000n).toBeGreaterThan(targetPpm * 1_000_000n);
    expect(state.maintenancePpm).toBe(1_000_000n);
    const health = world.margin.keeper.health(world.ctx, long);
    expect(health?.initial).toBe(
      (500n * UNIT * ((100_000n * state.initialPpm + UNIT - 1n) / UNIT)) / UNIT,
    );
    expect(health?.maintenance).toBe(25n * UNIT);
    for (let hour = 0; hour < 3; hour++) block(3_600);
    expect(view().state.maintenancePpm).toBe(1_028_285n);
    expect(world.margin.keeper.health(world.ctx, long)?.maintenance).toBeGreaterThan(25n * UNIT);
    expect(world.violated()).toBeNull();
    const [first] = moves();
    expect(first?.[0]).toBe("rise");
    expect(moves().some(([reason]) => reason === "hour")).toBe(true);
  });

  it("refuses a position that the higher rate does not cover", () => {
    set();
    block();
    storm();
    priced(PRICE);
    block();
    // 200 units cover 2000 of notional at a tenth.
    expect(() => trade(40n)).toThrow("refused");
    off();
    trade(40n);
  });

  it("falls back to the market's own rates when the market is calm, and says so", () => {
    set({
      ...defaultDynamicMargin(BTC),
      fastHalfLifeMs: 600_000n,
      slowHalfLifeMs: 600_000n,
      seedVolatility: 10n ** 17n,
    });
    block();
    storm();
    expect(view().state.initialPpm).toBeGreaterThan(1_500_000n);
    priced(PRICE);
    for (let hour = 0; hour < 24 * 200; hour++) block(3_600);
    expect(view().state.initialPpm).toBe(1_000_000n);
    expect(view().state.maintenancePpm).toBe(1_000_000n);
    expect(moves().at(-1)).toEqual(["hour", "1000000", expect.any(String)]);
  });

  it("repeats a price that is not fresh, and takes the whole move when it is again", () => {
    set();
    block();
    const before = view().state;
    priced(PRICE / 2n, false);
    block();
    block();
    const stale = view().state;
    expect(stale.mantissa).toBe(PRICE);
    expect(BigInt(stale.fastVariance)).toBeLessThan(BigInt(before.fastVariance));
    priced(PRICE / 2n);
    block();
    expect(BigInt(view().state.fastVariance)).toBeGreaterThan(BigInt(before.fastVariance));
  });

  it("samples once a minute, whatever the number of blocks", () => {
    set();
    block();
    const { state } = view();
    block(0);
    block(1);
    expect(view().state).toEqual(state);
  });

  it("is not made liquidatable by new terms, and a lower ceiling holds at once", () => {
    set();
    block();
    storm();
    set({ ...terms, basePpm: 10_000n });
    expect(view().state.maintenancePpm).toBe(1_000_000n);
    block();
    expect(view().state.initialPpm).toBe(4_000_000n);
    set({ ...terms, basePpm: 10_000n, multiplierMaxPpm: 2_000_000n });
    expect(view().state.initialPpm).toBe(2_000_000n);
    expect(world.violated()).toBeNull();
  });

  it("raises initial margin alone by what is quoted, when the terms say so", () => {
    const forward = {
      ...{ impliedFeedId: 7, impliedWeightPpm: 100_000n },
      ...{ widthFreePpm: 0n, widthWeightPpm: 0n, riseMaxPpm: 300_000n },
    };
    world.prices.set(7, { mantissa: 250n, exponent: -2, confidence: 0n, fresh: true });
    set({ ...terms, forward, basePpm: 50_000n });
    block();
    const { forwardPpm, state, targetPpm } = view();
    expect(forwardPpm).toBe(300_000n);
    expect(state.initialPpm).toBe((targetPpm * 1_300_000n + UNIT - 1n) / UNIT);
    expect(state.maintenancePpm).toBeLessThanOrEqual(targetPpm);
  });

  it("comes out of genesis as it went in", () => {
    set();
    block();
    storm();
    const { genesis } = world.margin.module;
    if (genesis.kind !== "proto") throw new Error("margin's genesis is proto");
    const bytes = genesis.export(world.ctx);
    const fresh = createWorld();
    const again = fresh.margin.module.genesis;
    if (again.kind !== "proto") throw new Error("margin's genesis is proto");
    again.init(fresh.ctx, bytes);
    expect(again.export(fresh.ctx)).toEqual(bytes);
    expect(GenesisState.decode(bytes).volatility).toHaveLength(1);
  });
});

describe("terms that are refused", () => {
  const code = (body: () => void): number => {
    try {
      body();
    } catch (error) {
      if (error instanceof ModuleError) return error.code;
      throw error;
    }
    return 0;
  };

  it("come from others than the authority, name a feed without price, or are out of range", () => {
    const stranger = createAddresses("keel").format(world.owner(1));
    expect(code(() => set(terms, stranger))).toBe(3);
    expect(code(() => set(terms, gov, 9))).toBe(2);
    expect(code(() => set(defaultDynamicMargin(9), gov, 9))).toBe(40);
    expect(code(() => off())).toBe(40);
    expect(code(() => set({ ...terms, multiplierMaxPpm: 900_000n }))).toBe(2);
    expect(code(() => set({ ...terms, basePpm: 0n }))).toBe(2);
    expect(code(() => set({ ...terms, fastHalfLifeMs: 1n }))).toBe(2);
    expect(code(() => set({ ...terms, seedVolatility: 0n }))).toBe(2);
    expect(code(() => set(terms))).toBe(0);
  });

  it("in a genesis say what is wrong", () => {
    const { genesis } = createWorld().margin.module;
    if (genesis.kind !== "proto") throw new Error("margin's genesis is proto");
    const state = GenesisState.fromPartial({
      params: { ...world.margin.keeper.params(world.ctx), settlementDenom: DENOM },
      volatility: [
        { feedId: 3, fastVariance: "1", slowVariance: "1", floorVariance: "1", bufferRange: "1" },
      ],
    });
    const bytes = GenesisState.encode(state).finish();
    expect(() => genesis.init(createWorld().ctx, bytes)).toThrow("measured without terms");
  });
});

describe("the invariant of multipliers", () => {
  it("names a feed whose multiplier left its bounds", () => {
    set();
    block();
    const { measured } = world.margin.state.volatility;
    const now = view().state;
    measured.set(world.ctx, BTC, { ...now, maintenancePpm: 999_999n });
    expect(world.violated()).toContain("multipliers-bounded: feed 1 multiplies");
    measured.set(world.ctx, BTC, { ...now, maintenancePpm: now.initialPpm + 1n });
    expect(world.violated()).toContain("multipliers-bounded");
    measured.delete(world.ctx, BTC);
    expect(world.violated()).toContain("1 feeds have terms, 0 are measured");
  });
});

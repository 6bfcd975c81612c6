import { GenesisState } from "@keel/proto/gen/keel/oracle/v1/genesis";
import {
  QuerySmileRequest,
  QuerySmileResponse,
  QuerySurfaceRequest,
  QuerySurfaceResponse,
  QuerySurfacesRequest,
  QuerySurfacesResponse,
  SurfaceAge,
} from "@keel/proto/gen/keel/oracle/v1/query";
import { MsgUpdateSurfaces } from "@keel/proto/gen/keel/oracle/v1/tx";
import { OracleVote, type Surface, type SurfaceVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { beforeEach, describe, expect, it } from "vitest";
import { createAddresses, moduleAddress } from "../../kit/addresses.ts";
import { Registry } from "../../kit/collections/schema.ts";
import { type TestContext, testContext } from "../../kit/testing/context.ts";
import { defaultFeed, defaultParams, feedsMax, putFeed } from "../feeds.ts";
import { FEEDS_MAX, SURFACES_MAX } from "../limits.ts";
import { createOracle, type Oracle } from "../module.ts";
import type { OracleValidator, VerifiedCommit } from "../ports.ts";
import { smileVolatility } from "./smile.ts";
import { defaultSurface } from "./surfaces.ts";

const addresses = createAddresses("keel");
const gov = addresses.format(moduleAddress("gov"));
const set: OracleValidator[] = [1, 2, 3, 4].map((number) => ({
  address: new Uint8Array(20).fill(number),
  pubKey: new Uint8Array(32).fill(number),
  power: 1n,
}));
const INDEX = { feedId: 1, mantissa: 6_000_000n, confidence: 1n };
const DAY_MS = 86_400_000n;
const WAD = 10n ** 18n;

let ctx: TestContext;
let oracle: Oracle;
let commits: VerifiedCommit[];

function build(genesis: GenesisState, header: Partial<TestContext["header"]> = {}): void {
  const registry = new Registry();
  commits = [];
  oracle = createOracle(registry.schema("oracle"), {
    addresses,
    commits: {
      verifyExtendedCommit: (_ctx, bytes) => commits[bytes[0] ?? 0] ?? { refusal: "none" },
    },
  });
  ctx = testContext(registry, { height: 10, ...header });
  if (oracle.module.genesis.kind !== "proto") throw new Error("expected a proto genesis");
  oracle.module.genesis.init(ctx, GenesisState.encode(genesis).finish());
}

function genesisOf(surfaces: readonly Surface[]): GenesisState {
  const feeds = [defaultFeed({ id: 1, symbol: "BTC-USD", exponent: -2 })];
  return GenesisState.fromPartial({ params: defaultParams(), feeds, surfaces: [...surfaces] });
}

const listed = (): Surface => ({
  ...defaultSurface({ id: 1, symbol: "BTC-VOL", feedId: 1 }),
  repricingBlocks: 8,
});

beforeEach(() => {
  build(genesisOf([listed()]));
  oracle.keeper.setValidators(ctx, 1, set);
});

const expiry = (days: bigint): bigint => ctx.header.timeNs / 1_000_000n + days * DAY_MS;

function vote(change: Partial<SurfaceVote> = {}): SurfaceVote {
  return {
    surfaceId: 1,
    rhoPpm: -300_000,
    etaPpm: 1_000_000,
    gammaPpm: 400_000,
    // 60 % on seven and thirty days.
    expiries: [7n, 30n].map((days) => ({
      expiryMs: expiry(days),
      theta: (36n * WAD * days) / 36_500n,
      basisPpm: 1_000,
    })),
    ...change,
  };
}

/** The first validators vote so; null is an empty extension, bytes are bytes. */
function update(votes: readonly (SurfaceVote | Uint8Array | null)[], outdated = false): void {
  const extensions = votes.map((one) => {
    if (one instanceof Uint8Array) return one;
    return oracle.keeper.extensionFor(ctx, [INDEX], one === null ? [] : [one]);
  });
  const number = commits.length;
  commits.push({
    height: ctx.header.height - 1,
    round: 0,
    votes: extensions.map((extension, i) => ({
      address: set[i]?.address ?? new Uint8Array(20),
      power: 1n,
      extension,
    })),
  });
  oracle.keeper.update(ctx, { extendedCommit: Uint8Array.of(number), outdated });
}

function smile(days: bigint) {
  return oracle.keeper.smile(ctx, 1, Number(expiry(days)));
}

function fault(): string | null {
  return oracle.module.invariants.running["surfaces-sound"]?.(ctx) ?? null;
}

describe("a surface", () => {
  it("takes the medians of shape, thetas and bases, and gives every strike its volatility", () => {
    const high = vote({ rhoPpm: -200_000, etaPpm: 1_200_000 });
    update([vote(), vote({ rhoPpm: -900_000 }), high]);
    const parameters = oracle.keeper.surfaceParameters(ctx, 1);
    expect(parameters).toMatchObject({
      rhoPpm: -300_000,
      etaPpm: 1_000_000,
      gammaPpm: 400_000,
      reportingPowerPpm: 750_000n,
      height: 10n,
    });
    const week = smile(7n);
    if (week === undefined) throw new Error("expected a smile");
    expect(week.age).toBe("fresh");
    expect(week.basisPpm).toBe(1_000n);
    expect(Number(smileVolatility(week, 1n, 1n)) / 1e18).toBeCloseTo(0.6, 9);
    // A falling skew: low strikes are dearer.
    expect(smileVolatility(week, 100n, 90n)).toBeGreaterThan(smileVolatility(week, 100n, 100n));
    expect(ctx.events.map(({ type }) => type)).toContain("oracle_surface");
    expect(fault()).toBeNull();
  });

  it("holds one volatility between, before and behind expiries that agree on it", () => {
    update([vote(), vote(), vote()]);
    for (const days of [1n, 5n, 7n, 12n, 30n, 60n]) {
      const one = smile(days);
      if (one === undefined) throw new Error(`no smile at ${days} days`);
      expect(Number(smileVolatility(one, 1n, 1n)) / 1e18).toBeCloseTo(0.6, 6);
    }
    expect(oracle.keeper.smile(ctx, 1, Number(expiry(0n)))).toBeUndefined();
  });

  it("bounds the forward against the index by time", () => {
    const far = vote();
    update(
      Array(3).fill({ ...far, expiries: far.expiries.map((e) => ({ ...e, basisPpm: 900_000 })) }),
    );
    // 50 % a year.
    expect(smile(7n)?.basisPpm).toBe(9_589n);
    expect(smile(30n)?.basisPpm).toBe(41_095n);
  });

  it("ages without votes: fresh, held, stale; its expiry keeps its volatility", () => {
    update([vote(), vote(), vote()]);
    const seen = (): string | undefined => smile(7n)?.age;
    ctx.nextBlock(10);
    update([vote(), vote(), null]);
    expect(ctx.events.map(({ type }) => type)).toContain("oracle_surface_below_quorum");
    expect(seen()).toBe("fresh");
    ctx.nextBlock(1);
    expect(seen()).toBe("held");
    ctx.nextBlock(59);
    expect(seen()).toBe("held");
    ctx.nextBlock(1);
    expect(seen()).toBe("stale");
    const old = smile(6n);
    if (old === undefined) throw new Error("expected a smile");
    expect(Number(smileVolatility(old, 1n, 1n)) / 1e18).toBeCloseTo(0.6, 6);
  });

  it("ages an expiry that too few vote for, drops it beside others when it is too old, and keeps what is last", () => {
    const both = vote();
    const near = { ...both, expiries: both.expiries.slice(0, 1) };
    update([both, both, both]);
    ctx.nextBlock(40);
    update([near, near, both]);
    const month = (): string | undefined =>
      oracle.keeper.smile(ctx, 1, Number(both.expiries[1]?.expiryMs))?.age;
    expect(oracle.keeper.surfaceParameters(ctx, 1)?.expiries).toHaveLength(2);
    expect(month()).toBe("held");
    ctx.nextBlock(40);
    update([near, near, both]);
    expect(oracle.keeper.surfaceParameters(ctx, 1)?.expiries).toHaveLength(1);
    // Behind the last: that one's volatility, and its age.
    expect(month()).toBe("fresh");
    ctx.nextBlock(Number(8n * DAY_MS) / 1000);
    expect(smile(1n)?.age).toBe("stale");
    update([near, near, near]);
    expect(oracle.keeper.surfaceParameters(ctx, 1)?.expiries).toMatchObject([{ timeNs: 0n }]);
    expect(fault()).toBeNull();
  });

  it("moves in steps, and at once after an outage", () => {
    update([vote(), vote(), vote()]);
    const wild = vote({
      rhoPpm: 100_000,
      expiries: vote().expiries.map((e) => ({ ...e, theta: e.theta * 4n })),
    });
    ctx.nextBlock(1);
    update([wild, wild, wild]);
    expect(oracle.keeper.surfaceParameters(ctx, 1)?.rhoPpm).toBe(-250_000);
    ctx.nextBlock(1);
    update([wild, wild, wild], true);
    expect(smile(7n)?.age).toBe("stale");
    ctx.nextBlock(1);
    update([wild, wild, wild]);
    expect(oracle.keeper.surfaceParameters(ctx, 1)?.rhoPpm).toBe(100_000);
    expect(smile(7n)?.age).toBe("fresh");
  });

  it("keeps an anchor per turn, and says when it is late", () => {
    update([vote(), vote(), vote()]);
    const of = (number: number) => oracle.keeper.anchoredSmile(ctx, 1, Number(expiry(7n)), number);
    // Height 10 is turn 2 of 8.
    expect(of(2)).toMatchObject({ mantissa: 6_000_000n, exponent: -2, age: "fresh" });
    expect(of(10)?.smile).toBe(of(2)?.smile);
    expect(of(3)).toBeUndefined();
    const { smile: first } = of(2) ?? {};
    const expiryMs = Number(expiry(7n));
    for (let i = 0; i < 7; i++) {
      ctx.nextBlock(1);
      update([vote(), vote(), vote()]);
      expect(oracle.keeper.anchoredSmile(ctx, 1, expiryMs, 2)?.smile).toBe(first);
    }
    ctx.nextBlock(1);
    update([vote(), vote(), vote()]);
    expect(oracle.keeper.anchoredSmile(ctx, 1, expiryMs, 2)?.smile).not.toBe(first);
    ctx.nextBlock(31);
    expect(oracle.keeper.anchoredSmile(ctx, 1, expiryMs, 2)?.late).toBe(true);
    expect(fault()).toBeNull();
  });

  it("takes no part in a malformed vote", () => {
    const said = OracleVote.fromPartial({ surfaces: [vote({ etaPpm: 0 })] });
    update([vote(), vote(), OracleVote.encode(said).finish()]);
    expect(oracle.keeper.surfaceParameters(ctx, 1)).toBeUndefined();
    expect(oracle.keeper.reports(ctx).reports[2]?.missedBlocks).toBe(1n);
  });

  it("counts validators that leave it out, and deviant ones", () => {
    const off = vote({ expiries: vote().expiries.map((e) => ({ ...e, theta: e.theta * 2n })) });
    update([vote(), vote(), off, null]);
    const { reports } = oracle.keeper.reports(ctx);
    expect(reports.map((one) => one.missedFeeds)).toEqual([0n, 0n, 0n, 1n]);
    expect(reports.map((one) => one.deviantVotes)).toEqual([0n, 0n, 1n, 0n]);
  });

  it("is exported and goes on from there", () => {
    update([vote(), vote(), vote()]);
    const { genesis } = oracle.module;
    if (genesis.kind !== "proto") throw new Error("expected a proto genesis");
    const bytes = genesis.export(ctx) as Uint8Array;
    const { header } = ctx;
    const before = oracle.keeper.surfaceParameters(ctx, 1);
    build(GenesisState.decode(bytes), header);
    expect(oracle.keeper.surfaceParameters(ctx, 1)).toEqual(before);
    expect(oracle.keeper.anchoredSmile(ctx, 1, Number(expiry(7n)), 2)).toBeDefined();
    expect((oracle.module.genesis as typeof genesis).export(ctx)).toEqual(bytes);
  });
});

describe("surface invariants", () => {
  it("see arbitrage, strangers and the future", () => {
    update([vote(), vote(), vote()]);
    const { surfaceParameters, surfaceAnchors } = oracle.state;
    const good = surfaceParameters.get(ctx, 1);
    const turn = surfaceAnchors.get(ctx, [1, 2]);
    if (good === undefined || turn === undefined) throw new Error("expected parameters");
    const broken = (change: object): string | null => {
      surfaceParameters.set(ctx, 1, { ...good, ...change });
      const found = fault();
      surfaceParameters.set(ctx, 1, good);
      return found;
    };
    expect(fault()).toBeNull();
    expect(broken({ etaPpm: 1_900_000 })).toMatch(/eta/);
    expect(broken({ rhoPpm: 950_000 })).toMatch(/rho/);
    expect(broken({ gammaPpm: 100_000 })).toMatch(/gamma/);
    expect(broken({ expiries: [...good.expiries].reverse() })).toMatch(/out of order|falls/);
    expect(broken({ timeNs: ctx.header.timeNs + 1n })).toMatch(/future/);
    surfaceParameters.set(ctx, 7, { ...good, surfaceId: 7 });
    expect(fault()).toMatch(/no such surface/);
    surfaceParameters.delete(ctx, 7);
    surfaceAnchors.set(ctx, [1, 9], turn);
    expect(fault()).toMatch(/turn 9 of 8/);
    surfaceAnchors.delete(ctx, [1, 9]);
    surfaceAnchors.set(ctx, [1, 2], { ...turn, mantissa: 0n });
    expect(fault()).toMatch(/no index/);
  });
});

describe("the list of surfaces", () => {
  const put = (change: Partial<Surface>, authority = gov): void => {
    const route = oracle.module.messages.find(({ typeUrl }) => typeUrl.endsWith("UpdateSurfaces"));
    const surfaces = [{ ...listed(), ...change }];
    const message = MsgUpdateSurfaces.fromPartial({ authority, surfaces });
    route?.validate(message);
    route?.handle(ctx.signedBy(addresses.parse(authority)), message);
  };

  it("is the authority's; symbol and feed stay, and turns begin anew with their number", () => {
    update([vote(), vote(), vote()]);
    expect(() => put({}, addresses.format(new Uint8Array(20)))).toThrow(/expected authority/);
    expect(() => put({ symbol: "OTHER" })).toThrow(/for good/);
    expect(() => put({ id: 2 })).toThrow(/belongs to surface 1/);
    expect(() => put({ id: 2, symbol: "B", feedId: 5 })).toThrow(/no feed 5/);
    expect(() => put({ repricingBlocks: 0 })).toThrow(/repricing blocks/);
    expect(() => put({ stepMaxPpm: 0n })).toThrow(/steps/);
    expect(() => put({ maxAgeMs: 0n })).toThrow(/ages/);
    const expiryMs = Number(expiry(7n));
    const before = oracle.keeper.smile(ctx, 1, expiryMs);
    put({ maxAgeMs: 20_000n });
    expect(oracle.keeper.anchoredSmile(ctx, 1, expiryMs, 2)).toBeDefined();
    put({ repricingBlocks: 4 });
    expect(oracle.keeper.anchoredSmile(ctx, 1, expiryMs, 2)).toBeUndefined();
    put({ enabled: false });
    // In the same block, though the smile was asked for before.
    expect(before?.age).toBe("fresh");
    expect(oracle.keeper.smile(ctx, 1, expiryMs)?.age).toBe("stale");
    expect(fault()).toBeNull();
  });

  it("moves the bound on forwards in small steps only where it cuts off what is voted, so that no mark jumps", () => {
    const { expiries } = vote();
    const voted = (basisPpm: number) =>
      vote({ expiries: expiries.map((one) => ({ ...one, basisPpm })) });
    const basis = (): bigint => smile(7n)?.basisPpm ?? 0n;
    // 1 % in a week is 52 % a year: beyond 50 %.
    update([voted(10_000), voted(10_000), voted(10_000)]);
    const cut = basis();
    for (const far of [499_499n, 500_501n])
      expect(() => put({ basisMaxPpm: far })).toThrow(/at most 500 at a time/);
    expect(basis()).toBe(cut);
    put({ basisMaxPpm: 500_500n });
    expect([9n, 10n]).toContain(basis() - cut);
    ctx.nextBlock(1);
    update([voted(100), voted(100), voted(100)]);
    put({ basisMaxPpm: 100_000n });
    expect(basis()).toBe(100n);
    expect(() => put({ basisMaxPpm: 1_000n })).toThrow(/may go from 100000/);
  });

  it("leaves room in an extension for every vote", () => {
    for (let id = 2; id <= SURFACES_MAX; id++) put({ id, symbol: `S${id}` });
    expect(() => put({ id: 9, symbol: "S9" })).toThrow(/at most 4 surfaces/);
    const most = feedsMax(SURFACES_MAX);
    expect(most).toBeLessThan(FEEDS_MAX);
    for (let id = 2; id <= most; id++) {
      putFeed(ctx, oracle.state, defaultFeed({ id, symbol: `F${id}`, exponent: 0 }));
    }
    const more = defaultFeed({ id: 999, symbol: "MORE", exponent: 0 });
    expect(() => putFeed(ctx, oracle.state, more)).toThrow(`at most ${most} feeds`);
  });
});

describe("queries of surfaces", () => {
  function ask<Request, Response>(
    name: string,
    request: { encode(message: Request): { finish(): Uint8Array } },
    response: { decode(bytes: Uint8Array): Response },
    message: Request,
  ): Response {
    const route = oracle.module.queries.find(({ path }) => path.endsWith(`Query/${name}`));
    if (route === undefined) throw new Error(`no query ${name}`);
    return response.decode(route.handle(ctx, request.encode(message).finish()));
  }

  it("give parameters, volatilities by expiry, and a smile", () => {
    update([vote(), vote(), vote()]);
    const all = ask("Surfaces", QuerySurfacesRequest, QuerySurfacesResponse, {});
    expect(all.surfaces.map(({ symbol }) => symbol)).toEqual(["BTC-VOL"]);
    const one = ask("Surface", QuerySurfaceRequest, QuerySurfaceResponse, {
      surfaceId: 0,
      symbol: "BTC-VOL",
    });
    expect(one.expiries[0]).toMatchObject({ forward: "60060", age: SurfaceAge.SURFACE_AGE_FRESH });
    expect(Number(one.expiries[0]?.volatility)).toBeCloseTo(0.6, 9);
    const smileOf = (strikes: string[], expiryMs = expiry(7n)) =>
      ask("Smile", QuerySmileRequest, QuerySmileResponse, {
        surfaceId: 1,
        symbol: "",
        expiryMs,
        strikes,
      });
    const { forward, points } = smileOf(["50000", "60060", "80000"]);
    expect(forward).toBe("60060");
    const [low, middle, high] = points.map(({ volatility }) => Number(volatility));
    expect(middle).toBeCloseTo(0.6, 9);
    expect(low).toBeGreaterThan(0.6);
    expect(high).not.toBeCloseTo(0.6, 3);
    expect(() => smileOf(["0"])).toThrow(/expected a strike/);
    expect(() => smileOf([], expiry(0n))).toThrow(/has nothing for/);
    expect(() =>
      ask("Surface", QuerySurfaceRequest, QuerySurfaceResponse, { surfaceId: 9, symbol: "" }),
    ).toThrow(/there is no surface 9/);
  });
});

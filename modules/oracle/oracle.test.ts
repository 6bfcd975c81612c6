import { ErrorCode } from "@keel/proto/gen/keel/oracle/v1/errors";
import { GenesisState } from "@keel/proto/gen/keel/oracle/v1/genesis";
import { QueryPricesRequest, QueryPricesResponse } from "@keel/proto/gen/keel/oracle/v1/query";
import { MsgOracleUpdate, MsgUpdateFeeds } from "@keel/proto/gen/keel/oracle/v1/tx";
import { OracleVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { beforeEach, describe, expect, it } from "vitest";
import { createAddresses, moduleAddress } from "../kit/addresses.ts";
import { Registry } from "../kit/collections/schema.ts";
import type { TestContext } from "../kit/testing/context.ts";
import { testContext } from "../kit/testing/context.ts";
import { ORACLE_CODES } from "./errors.ts";
import { defaultFeed, defaultParams } from "./feeds.ts";
import { EXTENSION_BYTES_MAX, FEEDS_MAX } from "./limits.ts";
import type { Oracle } from "./module.ts";
import { createOracle } from "./module.ts";
import type { OracleValidator, VerifiedCommit } from "./ports.ts";

const addresses = createAddresses("keel");
const gov = addresses.format(moduleAddress("gov"));

function validator(number: number, power = 1n): OracleValidator {
  return {
    address: new Uint8Array(20).fill(number),
    pubKey: new Uint8Array(32).fill(number),
    power,
  };
}

const set = [validator(1), validator(2), validator(3), validator(4)];

/** The port's part played by a list of commits: bytes are the index. Whether signatures hold is the port's business. */
let commits: (VerifiedCommit | { refusal: string })[];
let asked: (readonly OracleValidator[])[];
let ctx: TestContext;
let oracle: Oracle;

function fresh(): Oracle {
  const registry = new Registry();
  const built = createOracle(registry.schema("oracle"), {
    addresses,
    commits: {
      verifyExtendedCommit(_ctx, bytes, validators) {
        asked.push(validators);
        return commits[(bytes[0] ?? 0) - 1] ?? { refusal: "not a commit" };
      },
    },
  });
  ctx = testContext(registry, { height: 10 });
  return built;
}

beforeEach(() => {
  commits = [];
  asked = [];
  oracle = fresh();
  const feeds = [
    defaultFeed({ id: 1, symbol: "BTC-USD", exponent: -2 }),
    defaultFeed({ id: 2, symbol: "ETH-USD", exponent: -2 }),
  ];
  const genesis = GenesisState.fromPartial({ params: defaultParams(), feeds });
  if (oracle.module.genesis.kind === "proto") {
    oracle.module.genesis.init(ctx, GenesisState.encode(genesis).finish());
  }
  oracle.keeper.setValidators(ctx, 1, set);
});

/** An update whose first validators vote the given BTC prices; the rest are absent. */
function update(
  prices: (bigint | Uint8Array)[],
  height = ctx.header.height - 1,
  outdated = false,
): number {
  commits.push({
    height,
    round: 0,
    votes: prices.map((price, i) => ({
      address: set[i]?.address ?? new Uint8Array(20),
      power: 1n,
      extension:
        price instanceof Uint8Array
          ? price
          : oracle.keeper.extensionFor(ctx, [{ feedId: 1, mantissa: price, confidence: 5n }]),
    })),
  });
  return oracle.keeper.update(ctx, { extendedCommit: Uint8Array.of(commits.length), outdated });
}

describe("an oracle update", () => {
  it("writes the median with time, height and power", () => {
    expect(update([5_000_000n, 5_000_200n, 5_000_100n])).toBe(1);
    expect(oracle.keeper.price(ctx, 1)).toEqual({
      mantissa: 5_000_100n,
      exponent: -2,
      confidence: 100n,
      emaMantissa: 5_000_100n,
      timeNs: ctx.header.timeNs,
      height: 10,
      reportingPowerPpm: 750_000n,
      fresh: true,
    });
    expect(oracle.keeper.price(ctx, 2)).toBeUndefined();
    expect(ctx.events.map((event) => event.type)).toEqual([
      "oracle_feed",
      "oracle_feed",
      "oracle_price",
      "oracle_below_quorum",
    ]);
  });

  it("keeps the old price, which ages, when too little power reports", () => {
    update([100n, 100n, 100n]);
    ctx.nextBlock(3);
    expect(update([200n, 200n])).toBe(0);
    expect(oracle.keeper.price(ctx, 1)).toMatchObject({ mantissa: 100n, fresh: true });
    ctx.nextBlock(3);
    expect(oracle.keeper.isFresh(ctx, 1)).toBe(false);
    update([200n, 200n, 200n]);
    expect(oracle.keeper.price(ctx, 1)).toMatchObject({ mantissa: 200n, fresh: true });
  });

  it("that calls itself outdated takes no price and leaves none fresh until the next one", () => {
    update([100n, 100n, 100n]);
    ctx.nextBlock(1);
    expect(update([200n, 200n, 200n], undefined, true)).toBe(0);
    expect(oracle.keeper.price(ctx, 1)).toMatchObject({ mantissa: 100n, fresh: false });
    expect(ctx.events.at(-1)).toMatchObject({ type: "oracle_outdated" });
    ctx.nextBlock(1);
    expect(oracle.keeper.isFresh(ctx, 1)).toBe(false);
    update([300n, 300n, 300n]);
    expect(oracle.keeper.price(ctx, 1)).toMatchObject({
      mantissa: 300n,
      emaMantissa: 299n,
      fresh: true,
    });
  });

  it("is called outdated past twice the longest age that a feed allows", () => {
    expect(oracle.keeper.isOutdated(ctx, 10_000_000_000n)).toBe(false);
    expect(oracle.keeper.isOutdated(ctx, 10_000_000_001n)).toBe(true);
  });

  it("counts a malformed extension as missed, not as a fault of the block", () => {
    expect(update([100n, 100n, 100n, Uint8Array.of(255)])).toBe(1);
    const { reports } = oracle.keeper.reports(ctx);
    expect(reports.map((report) => report.missedBlocks)).toEqual([0n, 0n, 0n, 1n]);
    expect(reports.map((report) => report.missedFeeds)).toEqual([1n, 1n, 1n, 0n]);
  });

  it("is refused twice in a block, for another height and for a commit that does not verify", () => {
    expect(() => update([100n], 7)).toThrow(/expected a commit of height 9, got 7/);
    expect(() =>
      oracle.keeper.update(ctx, { extendedCommit: Uint8Array.of(99), outdated: false }),
    ).toThrow(/not a commit/);
    update([100n, 100n, 100n]);
    expect(() => update([100n, 100n, 100n])).toThrow(/already had its oracle update/);
  });

  it("has an unsigned message in the protocol's lane", () => {
    const route = oracle.module.messages[0];
    const message = MsgOracleUpdate.fromPartial({ extendedCommit: Uint8Array.of(1) });
    expect(route?.typeUrl).toBe("/keel.oracle.v1.MsgOracleUpdate");
    expect(route?.signers(message)).toEqual([]);
    expect(route?.lane(message)).toBe(0);
    expect(() => route?.validate(MsgOracleUpdate.fromPartial({}))).toThrow(/extended commit/);
  });
});

describe("validator sets", () => {
  it("judge each commit by the set of its own height", () => {
    const next = [validator(7), validator(8)];
    oracle.keeper.setValidators(ctx, 12, next);
    update([100n, 100n, 100n]);
    expect(asked.at(-1)?.map(({ address }) => address[0])).toEqual([1, 2, 3, 4]);
    while (ctx.header.height < 13) ctx.nextBlock();
    update([100n, 100n]);
    expect(asked.at(-1)?.map(({ address }) => address[0])).toEqual([7, 8]);
  });

  it("are kept once while they do not change, as after an import", () => {
    const before = oracle.state.validatorSets.size(ctx);
    oracle.keeper.setValidators(ctx, 40, set);
    expect(oracle.state.validatorSets.size(ctx)).toBe(before);
    const stronger = set.map((one, i) => (i === 0 ? { ...one, power: one.power + 1n } : one));
    oracle.keeper.setValidators(ctx, 40, stronger);
    expect(oracle.state.validatorSets.size(ctx)).toBe(before + 1);
  });

  it("are forgotten when no commit can need them", () => {
    for (let i = 0; i < 50; i++) {
      ctx.nextBlock();
      oracle.keeper.setValidators(ctx, ctx.header.height + 2, i % 2 === 1 ? set.slice(1) : set);
    }
    expect(oracle.state.validatorSets.size(ctx)).toBeLessThanOrEqual(5);
    expect(oracle.keeper.validatorsAt(ctx, ctx.header.height - 1)).toHaveLength(4);
  });
});

describe("report counters", () => {
  it("are halved every window and forget who left", () => {
    const params = oracle.keeper.params(ctx);
    oracle.state.params.set(ctx, { ...params, reportWindowBlocks: 4n });
    for (let i = 0; i < 3; i++) {
      update([100n, 100n, 100n]);
      ctx.nextBlock();
    }
    expect(oracle.keeper.reports(ctx).reports[3]).toMatchObject({ blocks: 3n, missedBlocks: 3n });
    oracle.keeper.setValidators(ctx, ctx.header.height - 1, set.slice(0, 3));
    update([100n, 100n, 100n]);
    const { reports, updates } = oracle.keeper.reports(ctx);
    expect(updates).toBe(0n);
    expect(reports.map((report) => report.blocks)).toEqual([2n, 2n, 2n]);
  });
});

describe("vote extensions", () => {
  const check = (bytes: Uint8Array) => oracle.keeper.verifyExtension(bytes);
  const encode = (feeds: { feedId: number; mantissa: bigint; confidence: bigint }[]) =>
    OracleVote.encode(OracleVote.fromPartial({ feeds })).finish();

  it("are valid when empty, and carry only enabled feeds in ascending order", () => {
    expect(check(new Uint8Array(0))).toBeNull();
    const bytes = oracle.keeper.extensionFor(ctx, [
      { feedId: 2, mantissa: 7n, confidence: 0n },
      { feedId: 1, mantissa: 8n, confidence: 0n },
      { feedId: 9, mantissa: 9n, confidence: 0n },
    ]);
    expect(OracleVote.decode(bytes).feeds.map((feed) => feed.feedId)).toEqual([1, 2]);
    expect(check(bytes)).toBeNull();
  });

  it("are refused only when malformed", () => {
    const price = { mantissa: 1n, confidence: 0n };
    expect(check(encode([{ feedId: 9_999, ...price }]))).toBeNull();
    expect(
      check(
        encode([
          { feedId: 2, ...price },
          { feedId: 1, ...price },
        ]),
      ),
    ).toMatch(/ascending/);
    expect(
      check(
        encode([
          { feedId: 1, ...price },
          { feedId: 1, ...price },
        ]),
      ),
    ).toMatch(/ascending/);
    expect(check(encode([{ feedId: 0, ...price }]))).toMatch(/ascending/);
    expect(check(encode([{ feedId: 1, mantissa: 0n, confidence: 0n }]))).toMatch(/positive/);
    expect(check(encode([{ feedId: 1, mantissa: 1n << 63n, confidence: 0n }]))).toMatch(/positive/);
    expect(check(Uint8Array.of(10, 200))).toBe("not an OracleVote");
    // Nested groups, which a decoder would follow by recursion.
    expect(check(new Uint8Array(EXTENSION_BYTES_MAX).fill(0x2b))).toBe("not an OracleVote");
    expect(check(Uint8Array.of(10, 2, 0x2b, 0x2c))).toBe("not an OracleVote");
    // A field of a later version is skipped.
    expect(check(Uint8Array.of(26, 1, 7))).toBeNull();
    expect(check(new Uint8Array(EXTENSION_BYTES_MAX + 1))).toMatch(/at most 4096/);
  });

  it("hold every feed the module allows", () => {
    const most = Array.from({ length: FEEDS_MAX }, (_, i) => ({
      feedId: 0xffffff00 + i,
      mantissa: (1n << 63n) - 1n,
      confidence: (1n << 63n) - 1n,
    }));
    expect(encode(most).length).toBeLessThanOrEqual(EXTENSION_BYTES_MAX);
  });
});

describe("feeds", () => {
  const put = (authority: string, feed: Parameters<typeof defaultFeed>[0]) => {
    const route = oracle.module.messages[1];
    const message = MsgUpdateFeeds.fromPartial({ authority, feeds: [defaultFeed(feed)] });
    route?.validate(message);
    route?.handle(ctx.signedBy(addresses.parse(authority)), message);
  };

  it("are changed by the authority alone; symbol and exponent stay", () => {
    const sol = { id: 3, symbol: "SOL-USD", exponent: -6 };
    expect(() => put(addresses.format(new Uint8Array(20)), sol)).toThrow(/expected authority/);
    put(gov, sol);
    expect(oracle.keeper.feed(ctx, 3)?.symbol).toBe("SOL-USD");
    expect(() => put(gov, { ...sol, exponent: -4 })).toThrow(/for good/);
    expect(() => put(gov, { ...sol, id: 4 })).toThrow(/belongs to feed 3/);
    expect(() => put(gov, { ...sol, id: 0 })).toThrow(/id of at least 1/);
  });
});

describe("state", () => {
  it("answers prices as decimals", () => {
    update([5_000_050n, 5_000_050n, 5_000_050n]);
    ctx.nextBlock(2);
    const route = oracle.module.queries[0];
    const bytes = route?.handle(ctx, QueryPricesRequest.encode({}).finish());
    expect(QueryPricesResponse.decode(bytes ?? new Uint8Array(0)).prices).toMatchObject([
      { symbol: "BTC-USD", price: "50000.5", confidence: "0.05", fresh: true, ageMs: 2_000n },
    ]);
  });

  it("survives export and import", () => {
    update([100n, 100n, 100n]);
    if (oracle.module.genesis.kind !== "proto") throw new Error("expected proto genesis");
    const bytes = oracle.module.genesis.export(ctx);
    const other = fresh();
    if (other.module.genesis.kind !== "proto") throw new Error("expected proto genesis");
    other.module.genesis.init(ctx, bytes);
    expect(other.module.genesis.export(ctx)).toEqual(bytes);
  });

  it("breaks its invariant when a price comes from the future or from nowhere", () => {
    update([100n, 100n, 100n]);
    const sound = oracle.module.invariants.running["prices-sound"];
    expect(sound?.(ctx)).toBeNull();
    const price = oracle.state.prices.get(ctx, 1);
    if (price === undefined) throw new Error("no price");
    oracle.state.prices.set(ctx, 1, { ...price, timeNs: ctx.header.timeNs + 1n });
    expect(sound?.(ctx)).toBe("feed 1: price is from the future");
    oracle.state.prices.set(ctx, 1, { ...price, mantissa: 0n });
    expect(sound?.(ctx)).toBe("feed 1: price is not positive");
    oracle.state.prices.set(ctx, 1, price);
    oracle.state.prices.set(ctx, 8, { ...price, feedId: 8 });
    expect(sound?.(ctx)).toBe("price of unknown feed 8");
  });

  it("runs with the oracle off: no set, no update, no price", () => {
    const off = fresh();
    const genesis = GenesisState.fromPartial({ params: defaultParams() });
    if (off.module.genesis.kind === "proto") {
      off.module.genesis.init(ctx, GenesisState.encode(genesis).finish());
    }
    expect(off.keeper.price(ctx, 1)).toBeUndefined();
    expect(off.keeper.isFresh(ctx, 1)).toBe(false);
    expect(off.keeper.extensionFor(ctx, [])).toHaveLength(0);
  });
});

describe("error codes", () => {
  it("are those published in the proto", () => {
    const published = Object.entries(ErrorCode)
      .filter(([name, value]) => typeof value === "number" && value >= 2 && name !== "UNRECOGNIZED")
      .map(([name, value]) => [name.slice(11).replaceAll("_", "").toLowerCase(), value]);
    const ours = Object.entries(ORACLE_CODES).map(([name, value]) => [name.toLowerCase(), value]);
    expect(ours).toEqual(published);
  });
});

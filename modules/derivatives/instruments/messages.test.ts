import * as query from "@keel/proto/gen/keel/derivatives/v1/query";
import * as tx from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { Series } from "@keel/proto/gen/keel/derivatives/v1/types";
import { describe, expect, it } from "vitest";
import { ModuleError } from "../../kit/errors.ts";
import type { ProtoCodec } from "../../kit/module.ts";
import {
  BTC,
  createWorld,
  futureMarket,
  HOUR_MS,
  maturity,
  optionMarket,
  START_MS,
  VOL,
  type World,
} from "../../testing/world.ts";
import { optionTerms } from "../defaults.ts";

const EXPIRY = START_MS + HOUR_MS;

function ask<Q, A>(
  world: World,
  name: string,
  request: ProtoCodec<Q>,
  value: Q,
  answer: ProtoCodec<A>,
): A {
  const route = world.module.queries.find(({ path }) => path.endsWith(`/${name}`))!;
  return answer.decode(route.handle(world.ctx, request.encode(value).finish()));
}

function send<M>(world: World, name: string, codec: ProtoCodec<M>, value: M): number {
  const route = world.module.messages.find(({ typeUrl }) => typeUrl.endsWith(`.${name}`))!;
  const message = route.decode(codec.encode(value).finish());
  const savepoint = world.ctx.state.savepoint();
  try {
    route.validate(message);
    route.handle(world.ctx.signedBy(), message);
    return 0;
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    world.ctx.state.revert(savepoint);
    return error.code;
  }
}

function listed(): World {
  const world = createWorld();
  world.setPrice(BTC, "60000");
  world.setPrice(VOL, "0.6");
  world.list(futureMarket("F", maturity(EXPIRY)));
  for (const strike of ["60000", "59000"])
    for (const right of ["put", "call"] as const)
      world.list(
        optionMarket(`O-${strike}-${right === "put" ? "P" : "C"}`, maturity(EXPIRY), {
          strike,
          right,
        }),
      );
  return world;
}

describe("queries of dated contracts", () => {
  it("answer a chain by strike, page by page", () => {
    const world = listed();
    const chain = (change: object) =>
      ask(
        world,
        "OptionChain",
        query.QueryOptionChainRequest,
        { underlying: "BTC", expiryMs: 0n, offset: 0, limit: 0, ...change },
        query.QueryOptionChainResponse,
      );
    const { rows, total } = chain({});
    expect(total).toBe(2);
    expect(rows.map(({ strike }) => strike)).toEqual(["59000", "60000"]);
    expect(rows[0]?.calls[0]?.market?.symbol).toBe("O-59000-C");
    expect(rows[0]?.puts[0]).toMatchObject({
      volatility: "0.6",
      forwardPrice: "60000",
      settlementPrice: "",
    });
    expect(chain({ offset: 1 }).rows).toHaveLength(1);
    expect(chain({ expiryMs: BigInt(EXPIRY + 1) }).rows).toEqual([]);
    expect(chain({ underlying: "ETH" }).total).toBe(0);
    expect(() => chain({ limit: 501 })).toThrow("at most 500");
  });

  it("answer settlement prices before, during and after their window", () => {
    const world = listed();
    const prices = () =>
      ask(
        world,
        "SettlementPrices",
        query.QuerySettlementPricesRequest,
        { feedId: BTC },
        query.QuerySettlementPricesResponse,
      ).prices;
    expect(prices()).toMatchObject([{ price: "", final: false, markets: 5 }]);
    world.block(1800);
    for (let i = 0; i < 15; i++) world.block(60, () => world.setPrice(BTC, "60600"));
    expect(prices()).toMatchObject([{ final: false, coveredMs: 900_000n }]);
    for (let i = 0; i < 16; i++) world.block(60, () => world.setPrice(BTC, "60600"));
    expect(prices()).toMatchObject([{ price: "60580", final: true, coveredMs: 1_800_000n }]);
    const market = ask(
      world,
      "Market",
      query.QueryMarketRequest,
      { market: "O-60000-C" },
      query.QueryMarketResponse,
    ).market;
    expect(market).toMatchObject({ settlementPrice: "60580", settlementValue: "5800000" });
  });

  it("answer markets in pages, by underlying", () => {
    const world = listed();
    const page = (after: number, limit: number, underlying = "") =>
      ask(
        world,
        "Markets",
        query.QueryMarketsRequest,
        { after, limit, underlying },
        query.QueryMarketsResponse,
      );
    expect(page(0, 2).markets.map(({ market }) => market?.id)).toEqual([1, 2]);
    expect(page(0, 2).next).toBe(2);
    expect(page(2, 3)).toMatchObject({ next: 0 });
    expect(page(2, 3).markets).toHaveLength(3);
    expect(page(0, 0, "ETH").markets).toEqual([]);
    expect(() => page(0, 1001)).toThrow("at most 1000");
  });

  it("say that a future has no funding", () => {
    const world = listed();
    expect(() =>
      ask(world, "Funding", query.QueryFundingRequest, { market: "F" }, query.QueryFundingResponse),
    ).toThrow("F has no funding");
  });
});

describe("messages of series and listings", () => {
  const series = {
    id: 0,
    name: "BTC-HOURLY",
    paused: false,
    baseAsset: "BTC",
    quoteAsset: "USD",
    feedId: BTC,
    tickSize: "0.5",
    lotSize: "0.01",
    terms: optionTerms(),
    expiries: {
      intervalMs: BigInt(HOUR_MS),
      offsetMs: 0n,
      count: 1,
      windowMs: 60_000n,
      closeOnlyMs: 0n,
    },
    strikes: { spacing: "1000", eachSide: 1, strikesMax: 3 },
    europeanOption: {
      maturity: undefined,
      right: 0,
      strike: "",
      volatilityFeedId: VOL,
      volatilitySurfaceId: 0,
    },
  } as const;

  it("say what is wrong with a series when it is proposed", () => {
    const world = listed();
    const { authority } = world.keeper.params(world.ctx);
    const { expiries, strikes, terms } = series;
    const propose = (name: string, change: Partial<Series>) => (): void => {
      const route = world.module.messages.find(({ typeUrl }) => typeUrl.endsWith(`.${name}`))!;
      const message = { authority, series: { ...series, ...change } };
      route.validate(tx.MsgUpdateSeries.fromPartial(message));
    };
    const wrong: [Partial<Series>, string][] = [
      [{ name: "btc" }, "expected a name"],
      [{ expiries: undefined }, "a rule for expiries"],
      [{ expiries: { ...expiries, intervalMs: 1_000n } }, "whole minutes"],
      [{ expiries: { ...expiries, offsetMs: 60_000n << 40n } }, "out of range"],
      [{ expiries: { ...expiries, count: 17 } }, "1 to 16 expiries"],
      [{ strikes: { ...strikes, spacing: "-1" } }, "positive decimal spacing"],
      [{ strikes: { ...strikes, strikesMax: 401 } }, "at most 400"],
      [{ terms: undefined }, "expected terms"],
      [{ terms: { ...terms, priceBandPpm: 0n } }, "expected a price band"],
    ];
    for (const name of ["MsgCreateSeries", "MsgUpdateSeries"]) {
      expect(propose(name, {})).not.toThrow();
      for (const [change, message] of wrong)
        expect(propose(name, change), `${name}: ${message}`).toThrow(message);
    }
    // The contract stays, so an update need not say it.
    const brief = { europeanOption: undefined, baseAsset: "", feedId: 0, tickSize: "" };
    expect(propose("MsgUpdateSeries", brief)).not.toThrow();
    expect(propose("MsgCreateSeries", brief)).toThrow();
  });

  it("are the authority's, but for listing against a bond", () => {
    const world = listed();
    const { authority } = world.keeper.params(world.ctx);
    const create = (by: string): number =>
      send(world, "MsgCreateSeries", tx.MsgCreateSeries, { authority: by, series });
    expect(create(world.address(1))).toBe(3);
    expect(create(authority)).toBe(0);
    expect(create(authority)).toBe(34);
    const found = ask(
      world,
      "Series",
      query.QuerySeriesRequest,
      { name: "" },
      query.QuerySeriesResponse,
    );
    expect(found.series[0]?.series).toMatchObject({ id: 1, name: "BTC-HOURLY" });
    const update = (name: string): number =>
      send(world, "MsgUpdateSeries", tx.MsgUpdateSeries, {
        authority,
        series: { ...series, name, paused: true },
      });
    expect(update("OTHER")).toBe(33);
    expect(update("BTC-HOURLY")).toBe(0);
    expect(send(world, "MsgForfeitBond", tx.MsgForfeitBond, { authority, market: "F" })).toBe(35);
    const wanted = {
      sender: world.address(1),
      market: optionMarket("X", maturity(EXPIRY), { strike: "1000" }),
    };
    expect(send(world, "MsgListMarket", tx.MsgListMarket, wanted)).toBe(31);
    expect(
      send(world, "MsgListMarket", tx.MsgListMarket, {
        sender: world.address(1),
        market: undefined,
      }),
    ).toBe(24);
    expect(world.violation()).toBeNull();
  });
});

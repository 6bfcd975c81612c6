import { GenesisState } from "@keel/proto/gen/keel/margin/v1/genesis";
import { describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { listen } from "../testing/reasons.ts";
import { BTC, btcTerms, createWorld, ETH, type World } from "../testing/world.ts";

const UNIT = 1_000_000n;

/** A long of 100 lots at 1,000 ticks (100 units) with 11 units of collateral, and one that takes over. */
function sick(
  params: object = {},
  lotsMax = 1_000n,
): { world: World; long: AccountId; taker: AccountId } {
  const world = createWorld({ liquidationNotionalMin: "1", ...params });
  const { ctx, markets, backstop } = world;
  markets.list(ctx, btcTerms());
  markets.setMark(ctx, BTC, 1_000n);
  const long = world.funded(1, 11n * UNIT);
  const short = world.funded(2, 1_000n * UNIT);
  const taker = world.funded(3, 100n * UNIT);
  markets.rest(ctx, {
    account: short,
    market: BTC,
    side: "sell",
    ticks: 1_000n,
    lots: 100n,
    feeReserve: 0n,
  });
  markets.take(ctx, {
    account: long,
    market: BTC,
    side: "buy",
    ticks: 1_000n,
    lots: 100n,
    feePpm: 0n,
  });
  backstop.account = taker;
  backstop.lotsMax = lotsMax;
  return { world, long, taker };
}

const lots = ({ ctx, margin }: World, id: AccountId): bigint =>
  margin.keeper.positionLots(ctx, id, BTC);

function end(world: World, mark: bigint, seconds = 1): void {
  world.markets.setMark(world.ctx, BTC, mark);
  world.margin.keeper.endBlock(world.ctx);
  world.ctx.nextBlock(seconds);
}

describe("a takeover", () => {
  it("is asked for below the share of maintenance that the parameters name", () => {
    // At 936: equity 4.6, maintenance 4.68. At 930: 4.0 of 4.65, 86 %.
    const { world, long, taker } = sick({ backstopHealthPpm: 900_000n });
    end(world, 936n);
    expect(lots(world, long)).toBe(100n);
    const { input, result } = listen(world.ctx);
    end(world, 930n);
    const taken = world.ctx.events.find(({ type }) => type === "backstop_takeover");
    expect(taken?.attributes).toEqual(
      expect.arrayContaining([
        { key: "equity", value: "4000000" },
        { key: "maintenance", value: "4650000" },
        { key: "collateral", value: "4000000" },
        { key: "reason", value: "health" },
      ]),
    );
    const event = "backstop_takeover";
    expect([input(event, "share"), input(event, "held"), result(event, "asked")]).toEqual([
      ...["900000", "100", "health"],
    ]);
    expect(lots(world, long)).toBe(0n);
    expect(lots(world, taker)).toBe(100n);
    expect(world.equity(taker)).toBe(104n * UNIT);
    expect(world.violated()).toBeNull();
    const late = sick();
    end(late.world, 930n);
    expect(lots(late.world, late.long)).toBe(100n);
  });

  it("leaves an option that is marked at nothing, when all that needs margin has gone", () => {
    const { world, long, taker } = sick({ backstopHealthPpm: 900_000n });
    const { ctx, markets, margin } = world;
    const option = { market: ETH, ticks: 1n, lots: 5n };
    markets.list(ctx, btcTerms({ id: ETH, symbol: "OPTION" }));
    markets.setWorthless(ctx, ETH, UNIT, 1_000n);
    markets.rest(ctx, { ...option, account: world.funded(4, UNIT), side: "sell", feeReserve: 0n });
    markets.take(ctx, { ...option, account: long, side: "buy", feePpm: 0n });
    end(world, 930n);
    expect(markets.quarantined).toEqual([]);
    expect(lots(world, taker)).toBe(100n);
    expect(margin.keeper.positionLots(ctx, long, ETH)).toBe(5n);
  });

  it("is asked for after the wait that they name, which an export remembers", () => {
    const { world, long } = sick({ backstopWaitMs: 3_000n });
    end(world, 936n, 2);
    end(world, 936n);
    expect(lots(world, long)).toBe(100n);
    const { genesis } = world.margin.module;
    const exported =
      genesis.kind === "proto" ? GenesisState.decode(genesis.export(world.ctx)) : null;
    expect(exported?.unfilled).toHaveLength(1);
    end(world, 936n);
    expect(lots(world, long)).toBe(0n);
    end(world, 936n);
    expect(world.margin.state.unfilled.size(world.ctx)).toBe(0);
  });

  it("takes a part with its part of the equity, and the rest stays as sick as it was", () => {
    const { world, long, taker } = sick({}, 25n);
    end(world, 920n);
    expect(lots(world, taker)).toBe(25n);
    expect(world.equity(taker)).toBe(100n * UNIT + 750_000n);
    expect(world.equity(long)).toBe(2_250_000n);
    end(world, 920n);
    expect(lots(world, taker)).toBe(50n);
    expect(world.violated()).toBeNull();
  });

  it("of a short position makes the taker short", () => {
    const world = createWorld({ liquidationNotionalMin: "1" });
    const { ctx, markets, backstop } = world;
    markets.list(ctx, btcTerms());
    markets.setMark(ctx, BTC, 1_000n);
    const short = world.funded(1, 11n * UNIT);
    const long = world.funded(2, 1_000n * UNIT);
    backstop.account = world.funded(3, 100n * UNIT);
    backstop.lotsMax = 100n;
    markets.rest(ctx, {
      account: short,
      market: BTC,
      side: "sell",
      ticks: 1_000n,
      lots: 100n,
      feeReserve: 0n,
    });
    markets.take(ctx, {
      account: long,
      market: BTC,
      side: "buy",
      ticks: 1_000n,
      lots: 100n,
      feePpm: 0n,
    });
    end(world, 1_085n);
    expect(lots(world, backstop.account)).toBe(-100n);
    expect(lots(world, short)).toBe(0n);
    expect(world.violated()).toBeNull();
  });

  it("of an account that takes over itself is not thought of", () => {
    const { world, long } = sick();
    world.backstop.account = long;
    end(world, 920n);
    expect(lots(world, long)).toBe(100n);
    // Nor is there another: the wait runs as for everybody.
    end(world, 920n, 61);
    for (let i = 0; i < 4; i++) end(world, 920n);
    expect(world.ctx.events.some(({ type }) => type === "backstop_takeover")).toBe(false);
    expect(lots(world, long)).toBe(0n);
  });
});

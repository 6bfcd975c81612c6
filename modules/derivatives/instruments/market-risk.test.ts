import { describe, expect, it } from "vitest";
import { models } from "../../margin/portfolio/testing/models.ts";
import {
  BTC,
  createWorld,
  HOUR_MS,
  maturity,
  optionMarket,
  START_MS,
  UNIT,
  VOL,
} from "../../testing/world.ts";
import { testMarket } from "../testing.ts";

const EXPIRY = START_MS + 30 * 24 * HOUR_MS;
const OPTION = "BTC-CALL";

function listed() {
  const world = createWorld();
  world.setPrice(BTC, "60000");
  world.setPrice(VOL, "0.6");
  const perpetual = world.list({ ...testMarket(), symbol: "BTC-PERP" });
  const call = world.list(optionMarket(OPTION, maturity(EXPIRY), { strike: "60000" }));
  return { world, perpetual, call };
}

describe("what a margin model prices a market by", () => {
  it("is worth what the market's mark says, where nothing has moved", () => {
    const { world, perpetual, call } = listed();
    for (const market of [perpetual, call]) {
      const mark = world.keeper.mark(world.ctx, market);
      const risk = world.keeper.risk(world.ctx, market);
      if (mark === undefined || risk === undefined) throw new Error("no price");
      const { price, units, scale, volatility } = risk.instrument;
      const quanta = Number((price(0n, volatility) * units) / scale);
      // Index and volatility go in steps: 0.05 % of the index, at most.
      expect(Math.abs(quanta - Number(mark.quantaPerLot))).toBeLessThan(
        Number(mark.notionalPerLot) * 0.0006,
      );
      expect(risk.underlying.name).toBe("BTC-USD");
    }
  });

  it("stays the same object until a price, a volatility or the time has gone a step", () => {
    const { world, call } = listed();
    const risk = () => world.keeper.risk(world.ctx, call);
    const first = risk();
    expect(first?.instrument.remainingMs).toBe(30n * 24n * 3_600_000n);
    world.setPrice(BTC, "60004");
    world.setPrice(VOL, "0.601");
    expect(risk()).toBe(first);
    world.setPrice(BTC, "60100");
    const moved = risk();
    expect(moved).not.toBe(first);
    world.setPrice(VOL, "0.61");
    expect(risk()?.instrument.volatility).toBe(61n * 10n ** 16n);
    world.block(600);
    world.setPrice(BTC, "60100");
    world.setPrice(VOL, "0.61");
    expect(risk()?.instrument.remainingMs).toBe(30n * 24n * 3_600_000n);
    world.block(3600);
    expect(risk()?.instrument.remainingMs).toBe((30n * 24n - 1n) * 3_600_000n);
  });

  it("is nothing without a price, and once the settlement price is known", () => {
    const blind = createWorld();
    blind.setPrice(BTC, "60000");
    const market = blind.list(optionMarket(OPTION, maturity(EXPIRY), { strike: "60000" }));
    expect(blind.keeper.risk(blind.ctx, market)).toBeUndefined();
    const { world, call } = listed();
    const set = (): void => world.setPrice(BTC, "61000");
    world.block(Number(EXPIRY - 1_800_000 - world.nowMs()) / 1000, set);
    while (world.nowMs() < EXPIRY) world.block(60, set);
    world.block(1, set);
    expect(world.keeper.risk(world.ctx, call)).toBeUndefined();
  });
});

describe("a portfolio on real markets", () => {
  it("nets an option against its hedge, names the scenario it is refused by, and survives an export", () => {
    const { world } = listed();
    const { keeper } = world.margin;
    keeper.setModel(world.ctx, models.s35);
    const writer = world.funded(1, 30_000n);
    const buyer = world.funded(2, 200_000n);
    world.trade(OPTION, writer, buyer, "1", "4000");
    world.trade("BTC-PERP", buyer, writer, "0.5", "60000");
    const apart = keeper.health(world.ctx, writer);
    keeper.setMode(world.ctx, writer, "portfolio");
    const together = keeper.health(world.ctx, writer);
    if (apart === undefined || together === undefined) throw new Error("no account");
    expect(together.equity).toBe(apart.equity);
    expect(together.initial).toBeGreaterThan(0n);
    expect(together.initial).toBeLessThan(apart.initial);
    expect(() => world.place("BTC-PERP", writer, "buy 9 @ 60000")).toThrow(
      /expected equity of at least [0-9.]+ \(requirement\), got [0-9.]+: short of [0-9.]+; worst scenario of model keel-s35: BTC-USD/,
    );
    world.block(5);
    expect(world.violation()).toBeNull();
    const copy = createWorld({ from: { genesis: world.exported(), header: world.ctx.header } });
    copy.setPrice(BTC, "60000");
    copy.setPrice(VOL, "0.6");
    expect(copy.exported()).toEqual(world.exported());
    expect(copy.margin.keeper.account(copy.ctx, writer)?.portfolio).toBe(true);
    expect(copy.margin.keeper.health(copy.ctx, writer)).toEqual(keeper.health(world.ctx, writer));
  });

  it("is liquidated when its equity falls below the model's maintenance", () => {
    const { world } = listed();
    const { keeper } = world.margin;
    keeper.setModel(world.ctx, models.s35);
    const writer = world.funded(1, 12_000n);
    const buyer = world.funded(2, 400_000n);
    keeper.setMode(world.ctx, writer, "portfolio");
    world.trade("BTC-PERP", buyer, writer, "1", "60000");
    world.place("BTC-PERP", buyer, "buy 5 @ 51000");
    const before = keeper.health(world.ctx, writer);
    expect(before?.maintenance).toBeLessThan(6_000n * UNIT);
    world.block(5, () => world.setPrice(BTC, "51000"));
    world.block(5, () => world.setPrice(BTC, "51000"));
    expect(world.eventsOf("liquidation").length).toBeGreaterThan(0);
    const after = keeper.health(world.ctx, writer);
    expect(after !== undefined && after.equity >= after.maintenance).toBe(true);
    expect(world.violation()).toBeNull();
  });
});

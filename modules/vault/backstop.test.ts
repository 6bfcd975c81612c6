import { describe, expect, it } from "vitest";
import type { AccountId } from "../kit/account-id.ts";
import { createVaultWorld, PERP, type VaultWorld } from "../testing/vault-world.ts";
import { BTC, UNIT } from "../testing/world.ts";
import { marketAccount } from "./state.ts";

/** A long of 1 BTC at 60,000 with 3,300 units, a short with plenty, and a vault that does not quote near enough to matter. */
function fragile(change: object = {}, units: bigint = 200_000n) {
  const world = createVaultWorld();
  world.setMarket({
    capitalPpm: 1_000_000n,
    spreadMinPpm: 100_000n,
    backstopOpenInterestPpm: 1_000_000n,
    ...change,
  });
  world.share(1, units);
  const long = world.funded(3, 3_300n);
  const short = world.funded(4, 100_000n);
  world.trade(PERP, short, long, "1", "60000");
  world.block(1);
  return { world, long, short };
}

const lotsOf = (world: VaultWorld, id: AccountId): bigint =>
  world.margin.keeper.positionLots(world.ctx, id, 1);
const equityOf = (world: VaultWorld, id: AccountId): bigint =>
  world.margin.keeper.health(world.ctx, id)?.equity ?? 0n;

describe("the backstop", () => {
  it("takes a position over at mark, with the account's equity, below two thirds of maintenance", () => {
    const { world, long } = fragile();
    const before = world.equity();
    // 3,300 − 30 of fees − 2,100 = 1,170 against 1,737 of maintenance: above two thirds, so it waits.
    world.block(1, () => world.setPrice(BTC, "57900"));
    world.block(1);
    expect(lotsOf(world, long)).toBe(1_000n);
    world.block(1, () => world.setPrice(BTC, "57800"));
    world.block(1);
    expect(lotsOf(world, long)).toBe(0n);
    expect(lotsOf(world, marketAccount(1))).toBe(1_000n);
    expect(equityOf(world, long)).toBe(0n);
    expect(world.equity() - before).toBe(1_070n * UNIT);
    expect(world.eventsOf("backstop_takeover")).toEqual([
      {
        account: `${world.address(3)}/0`,
        backstop: expect.stringMatching(/\/1$/),
        market: PERP,
        side: "sell",
        lots: "1000",
        mark_ticks: "115600",
        notional: `${57_800n * UNIT}`,
        collateral: `${1_070n * UNIT}`,
        equity: `${1_070n * UNIT}`,
        maintenance: `${1_734n * UNIT}`,
        reason: "health",
      },
    ]);
    expect(world.eventsOf("insurance_paid")).toEqual([]);
    expect(world.eventsOf("deleverage")).toEqual([]);
    expect(world.violation()).toBeNull();
  });

  it("takes it over after a minute in which the book took nothing", () => {
    const { world, long } = fragile();
    world.block(1, () => world.setPrice(BTC, "57900"));
    world.block(59);
    expect(lotsOf(world, long)).toBe(1_000n);
    expect(world.margin.state.unfilled.size(world.ctx)).toBe(1);
    world.block(1);
    world.block(1);
    expect(lotsOf(world, long)).toBe(0n);
    world.block(1);
    expect(world.margin.state.unfilled.size(world.ctx)).toBe(0);
    expect(world.violation()).toBeNull();
  });

  it("is set back by the part that the book took, and forgets who is no longer under water", () => {
    const { world, long } = fragile();
    world.block(1, () => world.setPrice(BTC, "57900"));
    world.block(59);
    const bidder = world.funded(5, 100_000n);
    // Somewhat more than half of what is asked for.
    world.place(PERP, bidder, "buy 0.4 @ 57850");
    world.block(1);
    world.block(1);
    expect(lotsOf(world, long)).toBe(600n);
    world.block(20);
    expect(lotsOf(world, long)).toBe(600n);
    world.block(1, () => world.setPrice(BTC, "60000"));
    world.block(1);
    expect(world.margin.state.unfilled.size(world.ctx)).toBe(0);
    expect(lotsOf(world, long)).toBe(600n);
  });

  it("is not put off by a bid for a lot now and then", () => {
    const { world, long } = fragile();
    world.block(1, () => world.setPrice(BTC, "57900"));
    world.block(59);
    world.place(PERP, world.funded(5, 100_000n), "buy 0.001 @ 57850");
    for (let i = 0; i < 4; i++) world.block(1);
    expect(lotsOf(world, long)).toBe(0n);
  });

  it("takes no more than a tenth of its equity over the range, and what goes along is in proportion", () => {
    // 20,000 units: 10 % / 20 % of it are 10,000 at 57,800: 173 lots.
    const { world, long } = fragile({}, 20_000n);
    world.block(1, () => world.setPrice(BTC, "57800"));
    world.margin.module.endBlock?.(world.ctx);
    expect(lotsOf(world, marketAccount(1))).toBe(173n);
    expect(lotsOf(world, long)).toBe(827n);
    expect(world.eventsOf("backstop_takeover")[0]).toMatchObject({ collateral: "185110000" });
    expect(equityOf(world, long)).toBe(1_070n * UNIT - 185_110_000n);
    expect(world.violation()).toBeNull();
  });

  it("keeps to its leverage and its share of the open interest, and what it holds counts", () => {
    for (const [change, lots] of [
      [{ backstopLeverageMaxPpm: 100_000n }, 346n],
      [{ backstopOpenInterestPpm: 250_000n }, 250n],
      [{ backstopLossPpm: 0n }, 0n],
    ] as const) {
      const { world } = fragile(change);
      world.block(1, () => world.setPrice(BTC, "57800"));
      world.margin.module.endBlock?.(world.ctx);
      world.margin.module.endBlock?.(world.ctx);
      expect(lotsOf(world, marketAccount(1))).toBe(lots);
    }
  });

  it("is not there without shares, in stand-by, or in a market it does not quote: the ladder goes on", () => {
    for (const world of [
      createVaultWorld(),
      (() => {
        const other = createVaultWorld();
        other.setMarket({ status: 2 });
        other.share(1, 100_000n);
        return other;
      })(),
    ]) {
      const long = world.funded(3, 3_300n);
      world.trade(PERP, world.funded(4, 100_000n), long, "1", "60000");
      world.block(1, () => world.setPrice(BTC, "56000"));
      world.block(1);
      expect(world.eventsOf("backstop_takeover")).toEqual([]);
      expect(world.margin.state.unfilled.size(world.ctx)).toBe(0);
      expect(lotsOf(world, long)).toBe(0n);
      expect(world.eventsOf("deleverage")).toHaveLength(1);
      expect(world.violation()).toBeNull();
    }
  });

  it("never takes over an account below zero, nor its own", () => {
    const { world, long } = fragile();
    world.block(1, () => world.setPrice(BTC, "56000"));
    world.block(1);
    expect(world.eventsOf("backstop_takeover")).toEqual([]);
    expect(world.eventsOf("insurance_paid")).toHaveLength(1);
    expect(lotsOf(world, long)).toBe(0n);
    expect(world.vault.keeper.backstop.isOwn(marketAccount(1))).toBe(true);
    expect(world.vault.keeper.backstop.isOwn(long)).toBe(false);
    expect(world.violation()).toBeNull();
  });

  it("takes nothing over that its own margin would not bear", () => {
    const { world, long } = fragile({ backstopLeverageMaxPpm: 50_000_000n }, 2_000n);
    world.setMarket({
      capitalPpm: 1_000_000n,
      backstopLossPpm: 1_000_000n,
      backstopRangePpm: 10_000n,
      backstopOpenInterestPpm: 1_000_000n,
      backstopLeverageMaxPpm: 50_000_000n,
      spreadMinPpm: 100_000n,
    });
    world.block(1, () => world.setPrice(BTC, "57600"));
    world.margin.module.endBlock?.(world.ctx);
    // 1,000 lots need 2,880 units of initial margin, and 2,000 + 870 would be there.
    expect(lotsOf(world, long)).toBe(1_000n);
    expect(world.eventsOf("backstop_takeover")).toEqual([]);
    expect(world.violation()).toBeNull();
  });

  it("works what it took over down by its quotes", () => {
    const { world } = fragile({ spreadMinPpm: 1_000n, orderSizePpm: 100_000n }, 120_000n);
    world.keeper.cancelOrders(world.ctx, marketAccount(1), "quote");
    world.block(1, () => world.setPrice(BTC, "57800"));
    world.keeper.cancelOrders(world.ctx, marketAccount(1), "quote");
    world.block(1);
    const taken = lotsOf(world, marketAccount(1));
    expect(taken).toBe(1_000n);
    const asks = (): readonly number[] =>
      world.keeper
        .openOrders(world.ctx, marketAccount(1), 1)
        .filter(({ side }) => side === "sell")
        .map(({ ticks }) => ticks);
    // Leverage near a half, skew 2: the first ask is hardly above the mark.
    expect(asks()[0]).toBeLessThan(115_610);
    const buyer = world.funded(6, 100_000n);
    world.place(PERP, buyer, "buy 0.5 @ 57900 ioc");
    expect(lotsOf(world, marketAccount(1))).toBeLessThan(taken - 400n);
    world.block(1);
    expect(world.violation()).toBeNull();
  });
});

import { describe, expect, it } from "vitest";
import { createVaultWorld, PERP } from "../testing/vault-world.ts";
import { BTC, UNIT } from "../testing/world.ts";
import { IDLE_ACCOUNT, marketAccount } from "./state.ts";

describe("a vault in a market", () => {
  it("quotes, trades, takes over in a crash, works it down, and pays who leaves on the way", () => {
    const world = createVaultWorld({ vault: { withdrawalDelayMs: 5_000n }, fundUnits: 50_000n });
    const { ctx, margin } = world;
    world.setMarket({
      capitalPpm: 600_000n,
      layers: 3,
      orderSizePpm: 10_000n,
      backstopOpenInterestPpm: 1_000_000n,
      leverageMaxPpm: 3_000_000n,
    });
    world.share(1, 300_000n);
    world.share(2, 100_000n);
    const taker = world.funded(3, 50_000n);
    const fragile = [11, 12, 13, 14].map((n) => world.funded(n, 3_300n));
    const short = world.funded(20, 500_000n);
    const whole = (): void => expect(world.violation()).toBeNull();
    const lots = (): bigint => margin.keeper.positionLots(ctx, marketAccount(1), 1);

    // It quotes three layers a side and earns its spread from who crosses it.
    world.block(1);
    expect(world.quotes().split(", ")).toHaveLength(6);
    const before = world.equity();
    for (const text of ["buy 0.1 @ 60500 ioc", "sell 0.1 @ 59500 ioc"]) {
      world.place(PERP, taker, text);
      world.block(1);
      whole();
    }
    expect(world.equity()).toBeGreaterThan(before);

    // Four longs of one coin each, and then nobody bids any more.
    for (const long of fragile) world.trade(PERP, short, long, "1", "60000");
    world.block(1);
    whole();
    world.send("RequestWithdrawal", { sender: world.address(2), shares: `${world.held(2)}` });

    // The crash: more than a thousand at once, and then a little more.
    for (const price of ["57800", "57790", "57780", "57770", "57770", "57770", "57770"]) {
      world.block(1, () => world.setPrice(BTC, price));
      whole();
    }
    const takeovers = world.eventsOf("backstop_takeover");
    expect(takeovers.length).toBeGreaterThan(0);
    expect(world.eventsOf("deleverage")).toEqual([]);
    expect(world.eventsOf("insurance_paid")).toEqual([]);
    expect(lots()).toBeGreaterThan(0n);
    const inventory = lots() * 57_770n * 1_000n;
    expect(inventory).toBeLessThanOrEqual(world.equity());

    // Who asked to leave before the crash is paid at the price after it, with slippage.
    const [left] = world.eventsOf("vault_withdrawn");
    expect(left).toMatchObject({ owner: world.address(2), remaining: "0" });
    expect(BigInt(left?.["amount"] ?? "0")).toBe(world.coins(2));
    expect(world.coins(2)).toBeLessThan(BigInt(left?.["value"] ?? "0"));
    expect(world.coins(2)).toBeGreaterThan(95_000n * UNIT);

    // Buyers come back: its asks lean, and the inventory goes.
    for (let i = 0; i < 60 && lots() > 0n; i++) {
      world.place(PERP, short, "buy 0.2 @ 58500 ioc");
      world.block(1);
    }
    whole();
    expect(lots()).toBeLessThanOrEqual(0n);

    // The market is given up: all of its capital is idle again, and the last holder leaves with it.
    world.setMarket({ status: 4 });
    for (let i = 0; i < 30 && lots() !== 0n; i++) {
      const text = lots() < 0n ? "sell 0.2 @ 57000 ioc" : "buy 0.2 @ 58500 ioc";
      world.place(PERP, short, text);
      world.block(1);
    }
    world.block(1);
    expect(lots()).toBe(0n);
    expect(margin.keeper.account(ctx, marketAccount(1))).toBeUndefined();
    world.send("RequestWithdrawal", { sender: world.address(1), shares: `${world.held(1)}` });
    for (let i = 0; i < 6; i++) world.block(1);
    expect(world.coins(1)).toBeGreaterThan(295_000n * UNIT);
    expect(world.equity()).toBe(margin.keeper.account(ctx, IDLE_ACCOUNT)?.collateral);
    expect(world.shares()).toBe(1_000_000_000n);
    whole();
  });
});

import { VaultMarketStatus } from "@keel/proto/gen/keel/vault/v1/types";
import { describe, expect, it } from "vitest";
import { defaultTerms as derivativesTerms } from "../derivatives/defaults.ts";
import { defaultMarkTerms } from "../derivatives/marking/terms.ts";
import { createVaultWorld, PERP } from "../testing/vault-world.ts";
import { BTC, futureMarket, UNIT, VOL } from "../testing/world.ts";
import { IDLE_ACCOUNT, marketAccount } from "./state.ts";

const { VAULT_MARKET_STATUS_CLOSE_ONLY: CLOSE_ONLY, VAULT_MARKET_STATUS_DEACTIVATED: DEACTIVATED } =
  VaultMarketStatus;

describe("quotes of the vault", () => {
  it("stand on both sides of the mark, layer behind layer, once the market has its capital", () => {
    const world = createVaultWorld();
    world.setMarket();
    world.share(1, 100_000n);
    world.block(1);
    expect(world.quotes()).toBe("a0 120120 x 33, a1 120173 x 33, b0 119880 x 33, b1 119827 x 33");
    expect(world.eventsOf("vault_capital")).toEqual([
      { market: PERP, amount: `${20_000n * UNIT}` },
    ]);
    expect(world.violation()).toBeNull();
  });

  it("lean against what was bought from them, and the spread stays with the vault", () => {
    const world = createVaultWorld();
    world.setMarket();
    world.share(1, 100_000n);
    world.block(1);
    world.place(PERP, world.funded(3, 100_000n), "buy 0.05 @ 60100 ioc");
    world.block(1);
    expect(world.quotes()).toBe("a0 120203 x 33, a1 120270 x 33, b0 119915 x 33, b1 119891 x 33");
    expect(world.equity()).toBeGreaterThan(100_000n * UNIT);
    expect(world.violation()).toBeNull();
  });

  it("move with the mark before anyone of the block can trade, and stay while it hardly moves", () => {
    const world = createVaultWorld();
    world.setMarket();
    world.share(1, 100_000n);
    world.block(1);
    const ids = (): number[] =>
      world.keeper.openOrders(world.ctx, marketAccount(1), 1).map(({ id }) => id);
    const before = ids();
    world.block(1, () => world.setPrice(BTC, "60010"));
    expect(ids()).toEqual(before);
    world.block(1, () => world.setPrice(BTC, "61000"));
    expect(ids().some((id) => before.includes(id))).toBe(false);
    expect(world.quotes()).toBe("a0 122122 x 32, a1 122176 x 32, b0 121878 x 32, b1 121824 x 32");
    const moved = ids();
    world.block(46);
    expect(ids().some((id) => moved.includes(id))).toBe(false);
  });

  it("do not follow a mark that others make of the book, nor one that they make themselves", () => {
    const world = createVaultWorld();
    const terms = { ...derivativesTerms(), mark: defaultMarkTerms() };
    world.keeper.updateMarket(world.ctx, PERP, { status: 0, terms });
    world.setMarket();
    world.share(1, 500_000n);
    world.block(1);
    const [pusher, taker] = [world.funded(3, 100_000n), world.funded(4, 100_000n)];
    const start = world.equity();
    world.place(PERP, taker, "buy 0.001 @ 60100 ioc");
    // A bid just below the best ask, block after block: the mark goes up to it, and would go on to the end of its band if the quotes went with it.
    for (let i = 0; i < 300; i++) {
      world.keeper.cancelAll(world.ctx, pusher, PERP);
      const ask = world.venue.books.of(world.ctx, 1).bestTicks("sell") || 120_600;
      world.place(PERP, pusher, `buy 0.4 @ ${(ask - 1) / 2} post`);
      world.block(1, () => world.setPrice(BTC, "60000"));
    }
    world.keeper.cancelAll(world.ctx, pusher, PERP);
    expect(world.keeper.mark(world.ctx, 1)?.ticks).toBeGreaterThan(120_100n);
    // Above the index nobody can sell to the vault.
    expect(world.place(PERP, taker, "sell 1 @ 60000.5 ioc").filledSize).toBe("0");
    for (let i = 0; i < 600; i++) world.block(1, () => world.setPrice(BTC, "60000"));
    expect(world.equity()).toBeGreaterThanOrEqual(start);
    expect(world.violation()).toBeNull();
  });

  it("are no more in a block than the parameters say, and what has moved goes all the same", () => {
    const world = createVaultWorld({ vault: { quotesPerBlockMax: 3 } });
    world.setMarket();
    world.share(1, 100_000n);
    world.block(1);
    expect(world.quotes().split(", ")).toHaveLength(3);
    world.block(1);
    expect(world.quotes().split(", ")).toHaveLength(4);
    world.block(1, () => world.setPrice(BTC, "61000"));
    expect(world.quotes().split(", ")).toHaveLength(3);
  });

  it("widen with the volatility of the mark, sampled by time, and with a feed's", () => {
    const world = createVaultWorld();
    world.setMarket();
    world.share(1, 100_000n);
    world.block(1);
    world.block(60, () => world.setPrice(BTC, "61200"));
    // 2 % in one sample of weight 6 %: √(0.06) × 2 % × 1.5 = 0.735 %.
    const record = world.vault.state.markets.get(world.ctx, 1)!;
    expect(world.vault.keeper.valuer.spread(world.ctx, record)).toBe(7_349n);
    world.block(1, () => world.setPrice(BTC, "60000"));
    expect(world.vault.keeper.valuer.spread(world.ctx, record)).toBe(7_349n);
    world.setPrice(VOL, "0.8");
    const fed = { ...record, terms: { ...record.terms, volatilityFeedId: VOL } };
    expect(world.vault.keeper.valuer.volatility(world.ctx, fed)).toBe(1_104n);
    world.setPrice(VOL, "0.8", false);
    expect(world.vault.keeper.valuer.spread(world.ctx, fed)).toBe(7_349n);
  });

  it("stop on the side that would exceed the leverage, and below the equity that activates them", () => {
    const world = createVaultWorld();
    world.setMarket({ leverageMaxPpm: 150_000n });
    world.share(1, 100_000n);
    world.block(1);
    expect(world.quotes()).toBe("a0 120120 x 33, b0 119880 x 33");
    world.place(PERP, world.funded(3, 100_000n), "buy 0.033 @ 60100 ioc");
    world.block(1);
    expect(world.quotes()).toMatch(/^b0 \d+ x \d+, b1 \d+ x \d+$/);
    world.setMarket({ activationMin: `${50_000n * UNIT}` });
    world.block(1);
    expect(world.quotes()).toMatch(/^b0 \d+ x 33$/);
  });

  it("go when the market is deactivated, and so does its capital; close-only they reduce, and may take", () => {
    const world = createVaultWorld();
    world.setMarket();
    world.share(1, 100_000n);
    world.block(1);
    const buyer = world.funded(3, 100_000n);
    world.place(PERP, buyer, "buy 0.033 @ 60100 ioc");
    world.setMarket({ status: CLOSE_ONLY });
    world.block(1);
    expect(world.quotes()).toMatch(/^b0 \d+ x 33$/);
    world.place(PERP, buyer, "sell 0.01 @ 59000 ioc");
    world.setPrice(BTC, "58000");
    world.place(PERP, buyer, "sell 0.05 @ 57000");
    world.block(1);
    // The ask at 57,000 is below its bid: it buys back there.
    expect(world.margin.keeper.positionLots(world.ctx, marketAccount(1), 1)).toBe(0n);
    world.setMarket({ status: DEACTIVATED });
    world.block(1);
    world.block(1);
    expect(world.quotes()).toBe("");
    expect(world.margin.keeper.account(world.ctx, marketAccount(1))).toBeUndefined();
    expect(world.violation()).toBeNull();
  });

  it("of a market whose step fails end with it, and nothing else stops", () => {
    const world = createVaultWorld();
    world.setMarket();
    world.share(1, 100_000n);
    world.block(1);
    const { estimates } = world.vault.state;
    estimates.set(world.ctx, 1, { market: 1, variance: 1n, markTicks: 0n, sampledMs: 0n });
    world.block(60);
    expect(world.eventsOf("vault_market_stopped")).toHaveLength(1);
    expect(world.eventsOf("vault_market_stopped")[0]).toMatchObject({ status: "deactivated" });
    expect(world.quotes()).toBe("");
    expect(world.keeper.terms(world.ctx, 1)?.status).toBe("active");
  });

  it("end in a market that has lost too much of its capital, and nothing more is put in", () => {
    const world = createVaultWorld();
    world.setMarket({ lossMaxPpm: 50_000n, leverageMaxPpm: 20_000_000n });
    world.share(1, 100_000n);
    const buyer = world.funded(3, 1_000_000n);
    world.block(1);
    for (let i = 0; i < 4; i++) {
      world.place(PERP, buyer, "buy 1 @ 62000 ioc");
      world.block(1);
    }
    world.block(1, () => world.setPrice(BTC, "66000"));
    const stopped = { market: PERP, status: "close_only", reason: "loss" };
    expect(world.eventsOf("vault_market_stopped")).toEqual([stopped]);
    expect(world.quotes()).toMatch(/^b0/);
    const capital = world.eventsOf("vault_capital").length;
    world.block(1, () => world.setPrice(BTC, "67000"));
    expect(world.eventsOf("vault_capital")).toHaveLength(capital);
    expect(world.violation()).toBeNull();
    world.setMarket();
    expect(world.vault.state.markets.get(world.ctx, 1)?.contributed).toBe(
      world.margin.keeper.health(world.ctx, marketAccount(1))?.equity,
    );
  });
});

describe("a dated future", () => {
  it("is quoted until it expires, and forgotten when it has paid", () => {
    const world = createVaultWorld();
    const expiryMs = BigInt(world.nowMs() + 600_000);
    world.list(futureMarket("BTC-F", { expiryMs, windowMs: 60_000n, closeOnlyMs: 0n }));
    world.setMarket({ capitalPpm: 500_000n }, "BTC-F");
    world.share(1, 100_000n);
    world.block(1);
    expect(world.quotes(2)).toMatch(/^a0/);
    world.place("BTC-F", world.funded(3, 10_000n), "buy 0.05 @ 60200 ioc");
    const update = () => world.setPrice(BTC, "60000");
    for (let i = 0; i < 70; i++) world.block(10, update);
    expect(world.eventsOf("market_settled")).toHaveLength(1);
    expect(world.eventsOf("vault_market_stopped")).toEqual([
      { market: "BTC-F", status: "", reason: "expired" },
    ]);
    expect(world.vault.state.markets.size(world.ctx)).toBe(0);
    expect(world.vault.state.estimates.size(world.ctx)).toBe(0);
    const idle = world.margin.keeper.account(world.ctx, IDLE_ACCOUNT)?.collateral ?? 0n;
    expect(idle).toBe(world.equity());
    expect(idle).toBeGreaterThan(100_000n * UNIT);
    expect(world.violation()).toBeNull();
  });

  it("that is short when it has expired keeps its capital until the gate is open, and holds up nothing else", () => {
    const world = createVaultWorld({ margin: { marketGates: true } });
    const { ctx, margin } = world;
    const expiryMs = BigInt(world.nowMs() + 600_000);
    world.list(futureMarket("BTC-F", { expiryMs, windowMs: 60_000n, closeOnlyMs: 0n }));
    world.setMarket({ capitalPpm: 500_000n }, "BTC-F");
    world.share(1, 100_000n);
    world.block(1);
    world.place("BTC-F", world.funded(3, 10_000n), "buy 0.05 @ 60200 ioc");
    const gatedUntilNs = ctx.header.timeNs + 1_000_000_000_000n;
    const none = { shortfall: "0", covered: "0", backing: "0" };
    margin.state.custody.solvency.set(ctx, 2, { market: 2, ...none, gatedUntilNs });
    const update = () => world.setPrice(BTC, "60000");
    for (let i = 0; i < 70; i++) world.block(10, update);
    expect(world.eventsOf("market_settled")).toHaveLength(1);
    const shares = `${world.held(1) / 10n}`;
    world.send("RequestWithdrawal", { sender: world.address(1), shares });
    world.block(10, update);
    expect(world.coins(1)).toBeGreaterThan(9_999n * UNIT);
    expect(world.eventsOf("vault_fault")).toEqual([]);
    expect(world.vault.state.markets.size(ctx)).toBe(1);
    for (let i = 0; i < 30; i++) world.block(10, update);
    expect(world.vault.state.markets.size(ctx)).toBe(0);
    expect(world.violation()).toBeNull();
  });
});

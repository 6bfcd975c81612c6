import { describe, expect, it } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { BTC, btcTerms, createWorld, ETH, type World } from "../testing/world.ts";

const DOLLAR = 1_000_000n;

/** Account n is long, n + 100 short, by `lots` at 50,000 ticks (50 a lot), in each of the markets. */
function pairOf(world: World, n: number, lots: bigint, markets: readonly number[] = [BTC]): void {
  const long = world.funded(n, 2_000n * DOLLAR);
  const short = world.funded(n + 100, 2_000n * DOLLAR);
  for (const market of markets) {
    const order = { market, ticks: 50_000n, lots };
    world.markets.rest(world.ctx, { ...order, account: short, side: "sell", feeReserve: 0n });
    world.markets.take(world.ctx, { ...order, account: long, side: "buy", feePpm: 0n });
  }
}

function listed(params: Parameters<typeof createWorld>[0] = {}): World {
  const world = createWorld(params);
  for (const id of [BTC, ETH]) {
    world.markets.list(world.ctx, btcTerms({ id, symbol: `M${id}` }));
    world.markets.setMark(world.ctx, id, 50_000n);
  }
  return world;
}

const end = (world: World): void => {
  world.margin.keeper.endBlock(world.ctx);
  world.ctx.nextBlock();
};

const settledIn = (world: World): string[] =>
  world.ctx.events
    .splice(0)
    .filter(({ type }) => type === "position_settled")
    .map(({ attributes }) => attributes.find(({ key }) => key === "account")?.value ?? "");

const collateral = (world: World, id: AccountId): bigint =>
  world.margin.keeper.account(world.ctx, id)?.collateral ?? 0n;

describe("the settlement of an expired market", () => {
  it("pays every position at one value, in order of accounts, some per block, and then closes the market", () => {
    const world = listed({ settlementPositionsPerBlockMax: 4 });
    for (let n = 1; n <= 5; n++) pairOf(world, n, 10n);
    world.ctx.events.length = 0;
    world.markets.expire(world.ctx, BTC, 55_555_555n);
    const blocks: string[][] = [];
    for (let i = 0; i < 3; i++) {
      expect(world.violated()).toBeNull();
      end(world);
      blocks.push(settledIn(world));
    }
    expect(blocks.map((block) => block.length)).toEqual([4, 4, 2]);
    const order = [1, 2, 3, 4, 5, 101, 102, 103, 104, 105];
    const { state } = world.margin;
    expect(blocks.flat()).toHaveLength(10);
    const keys = order.map((n) => collateral(world, world.funded(n, DOLLAR)) - DOLLAR);
    expect(keys).toEqual([
      ...Array(5).fill(2_000n * DOLLAR + 55_555_550n),
      ...Array(5).fill(2_000n * DOLLAR - 55_555_550n),
    ]);
    expect(world.markets.terms(world.ctx, BTC)?.status).toBe("settled");
    expect(world.margin.keeper.ledger(world.ctx, BTC)).toBeUndefined();
    expect([state.sweep.get(world.ctx), state.active.size(world.ctx)]).toEqual([undefined, 0]);
    expect(world.violated()).toBeNull();
  });

  it("bounds the accounts it looks at, too", () => {
    const world = listed({ settlementAccountsPerBlockMax: 3 });
    for (let n = 1; n <= 4; n++) pairOf(world, n, 1n, n === 1 ? [BTC] : [ETH]);
    world.markets.expire(world.ctx, BTC, 50_000_000n);
    world.ctx.events.length = 0;
    const counts: number[] = [];
    for (let i = 0; i < 3; i++) {
      end(world);
      counts.push(settledIn(world).length);
      expect(world.violated()).toBeNull();
    }
    // Long 1 is the first account, short 101 the fifth.
    expect(counts).toEqual([1, 1, 0]);
    expect(world.markets.terms(world.ctx, BTC)?.status).toBe("settled");
    expect(world.markets.terms(world.ctx, ETH)?.status).toBe("active");
  });

  it("settles all markets that are ready in one pass, each account at once, and later ones in the next", () => {
    const world = listed({ settlementPositionsPerBlockMax: 3 });
    for (let n = 1; n <= 2; n++) pairOf(world, n, 10n, [BTC, ETH]);
    world.ctx.events.length = 0;
    world.markets.expire(world.ctx, BTC, 50_000_000n);
    end(world);
    // Two accounts with one position of the pass each fit, a third too; the market that expires now waits.
    expect(settledIn(world)).toHaveLength(3);
    world.markets.expire(world.ctx, ETH, 49_000_000n);
    end(world);
    expect(settledIn(world)).toHaveLength(1);
    expect(world.markets.terms(world.ctx, BTC)?.status).toBe("settled");
    end(world);
    end(world);
    expect(world.markets.terms(world.ctx, ETH)?.status).toBe("settled");
    expect(world.violated()).toBeNull();
  });

  it("takes no trade and asks for no margin meanwhile", () => {
    const world = listed();
    pairOf(world, 1, 10n);
    world.markets.expire(world.ctx, BTC, 10_000_000n);
    const party = (n: number) => ({
      account: world.funded(n, DOLLAR),
      feeQuanta: 0n,
      orderId: null,
    });
    const trade = {
      market: BTC,
      priceTicks: 10_000n,
      lots: 1n,
      taker: "buy",
      kind: "order",
    } as const;
    expect(
      world.margin.keeper.clear(world.ctx, { ...trade, buyer: party(1), seller: party(101) }),
    ).toMatchObject({ ok: false, code: 20 });
    const health = world.margin.keeper.health(world.ctx, party(1).account);
    expect([health?.initial, health?.maintenance]).toEqual([0n, 0n]);
  });

  it("lets insurance pay for who ends below zero, and queues what it cannot", () => {
    const world = listed();
    world.fund.give(world.ctx, 100n * DOLLAR);
    pairOf(world, 1, 200n);
    // 200 lots fall from 50 to 39: 2,200 of 2,000 are gone.
    world.markets.expire(world.ctx, BTC, 39_000_000n);
    world.ctx.events.length = 0;
    end(world);
    const types = world.ctx.events.map(({ type }) => type);
    expect(types).toContain("deficit_covered");
    expect(types).toContain("withdrawals_gated");
    expect(world.margin.keeper.totals(world.ctx).pendingShortfall).toBe(100n * DOLLAR);
    expect(world.fund.balance(world.ctx, "uusdc")).toBe(0n);
    expect(world.violated()).toBeNull();
  });

  it("stops a market whose payment fails, pays the account in the others, and goes on later", () => {
    const world = listed();
    for (let n = 1; n <= 2; n++) pairOf(world, n, 10n, [BTC, ETH]);
    const { ctx, markets, margin } = world;
    markets.expire(ctx, BTC, 51_000_000n);
    markets.expire(ctx, ETH, 52_000_000n);
    const real = margin.state.accounts.set;
    let failing = true;
    (margin.state.accounts as { set: typeof real }).set = (context, id, account) => {
      if (failing) {
        failing = false;
        throw new Error("a bug");
      }
      real(context, id, account);
    };
    end(world);
    (margin.state.accounts as { set: typeof real }).set = real;
    expect(markets.quarantined).toEqual([{ market: BTC, reason: "a bug" }]);
    expect(markets.terms(ctx, ETH)?.status).toBe("settled");
    expect(margin.keeper.ledger(ctx, BTC)?.positions).toBe(4n);
    expect(world.violated()).toBeNull();
    markets.expire(ctx, BTC, 51_000_000n);
    end(world);
    expect(markets.terms(ctx, BTC)?.status).toBe("settled");
    expect(world.violated()).toBeNull();
  });
});

describe("the invariants of a settlement", () => {
  it("see a position that was passed over", () => {
    const world = listed({ settlementPositionsPerBlockMax: 1 });
    for (let n = 1; n <= 3; n++) pairOf(world, n, 10n);
    world.markets.expire(world.ctx, BTC, 50_000_000n);
    end(world);
    expect(world.violated()).toBeNull();
    const { state } = world.margin;
    const sweep = state.sweep.require(world.ctx);
    const after = Uint8Array.from(sweep.after);
    after[19] = 2;
    state.sweep.set(world.ctx, { ...sweep, after });
    expect(world.violated()).toContain("settlement-sweep: an account that was passed");
  });

  it("see a market in no sweep", () => {
    const world = listed();
    world.margin.state.sweepMarkets.set(world.ctx, BTC, true);
    expect(world.violated()).toBe("settlement-sweep: 1 markets in no sweep");
  });

  it("see a payment at another value", () => {
    const world = listed({ settlementPositionsPerBlockMax: 1 });
    for (let n = 1; n <= 2; n++) pairOf(world, n, 10n);
    world.markets.expire(world.ctx, BTC, 50_000_000n);
    end(world);
    world.markets.expire(world.ctx, BTC, 50_000_001n);
    expect(world.violated()).toContain("market-solvency: market 1: realised and open profits");
  });
});

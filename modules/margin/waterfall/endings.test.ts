import { GenesisState } from "@keel/proto/gen/keel/margin/v1/genesis";
import type { Params } from "@keel/proto/gen/keel/margin/v1/types";
import { beforeEach, describe, expect, test } from "vitest";
import type { AccountId } from "../../kit/account-id.ts";
import { createAddresses } from "../../kit/addresses.ts";
import { createInsuredWorld, type InsuredWorld } from "../../testing/insured-world.ts";
import { validateParams } from "../params.ts";
import { BTC, DENOM, ETH } from "../testing/world.ts";

/** One lot is worth a unit (1e6 quanta) at 1,000 ticks. */
const UNIT = 1_000_000n;
const TERMS = { afterBlocks: 2, atOncePpm: 0n };
const addresses = createAddresses("keel");

let world: InsuredWorld;
const make = (params: Partial<Params> = {}): void => {
  world = createInsuredWorld({ marketSettlement: TERMS, ...params });
};
beforeEach(() => make());

const mark = (ticks: bigint, market = BTC, fresh = true) =>
  world.markets.setMark(world.ctx, market, ticks, fresh);
const pending = () => world.margin.keeper.pendingShortfall(world.ctx, DENOM);
const status = (market = BTC) => world.markets.terms(world.ctx, market)?.status;
const endings = () => world.margin.state.waterfall.endings;

/** Blocks, each sound. */
function blocks(count: number): void {
  for (let i = 0; i < count; i++) {
    world.margin.keeper.endBlock(world.ctx);
    expect(world.violated()).toBeNull();
    world.ctx.nextBlock();
  }
}

/** 100 long lots with ten units behind them, against shorts of 60 and 40; the book is empty. */
function ruin(): { long: AccountId; shorts: readonly [AccountId, AccountId] } {
  const long = world.funded(1, 10n * UNIT);
  const shorts = [world.funded(2, 1_000n * UNIT), world.funded(3, 3n * UNIT)] as const;
  world.trade(long, shorts[0], 60n, 1_000n);
  world.trade(long, shorts[1], 40n, 1_000n);
  return { long, shorts };
}

describe("a market whose loss nobody bears", () => {
  test("stops at once, is settled when the loss has stood, and its loss is shared over gains", () => {
    const { long, shorts } = ruin();
    mark(500n);
    blocks(1);
    // 50 units lost, 10 were there: nobody bears 40 within a tenth of the mark, and nobody leaves with a gain.
    expect(pending()).toBe(40n * UNIT);
    expect(status()).toBe("halted");
    expect(world.margin.keeper.openInterestLots(world.ctx, BTC)).toBe(100n);
    blocks(2);
    expect(status()).toBe("settling");
    blocks(2);
    expect(status()).toBe("settled");
    expect(pending()).toBe(0n);
    expect(endings().size(world.ctx)).toBe(0);
    expect(world.margin.keeper.ledger(world.ctx, BTC)).toBeUndefined();
    // 40 of the gains of 30 and 20.
    expect(world.equity(long)).toBe(0n);
    expect(world.equity(shorts[0])).toBe((1_000n + 30n - 24n) * UNIT);
    expect(world.equity(shorts[1])).toBe((3n + 20n - 16n) * UNIT);
    expect(world.reports("market_suspended")).toMatchObject([
      { missing: "40000000", floor: "1000000" },
    ]);
    expect(world.reports("market_ended")).toMatchObject([
      { reason: "age", value_per_lot: "500000", mark_ticks: "500", since_height: "1" },
    ]);
    expect(world.reports("market_loss")).toMatchObject([
      { missing: "40000000", gains: "50000000", by_gains: "40000000", by_size: "0", left: "0" },
    ]);
    expect(world.reports("market_loss_share").map(({ paid }) => paid)).toEqual([
      "24000000",
      "16000000",
    ]);
    const last = world.losses().at(-1);
    expect(last?.attributes["cause"]).toBe("market");
    expect(last?.lines).toEqual(
      new Map([
        ["queue", -40n * UNIT],
        ["settlement", 40n * UNIT],
      ]),
    );
    // The stop of a market does not go on with another listed under its name.
    world.ctx.nextBlock();
    blocks(1);
    expect(world.reports("market_resumed")).toEqual([]);
  });

  test("is settled without waiting when the loss is beyond what the funds hold", () => {
    make({ marketSettlement: { afterBlocks: 1_000, atOncePpm: 2_000_000n } });
    // Drawn within an hour only in part: what they hold counts, not what they may pay now.
    ruin();
    world.endow(5n * UNIT, "major");
    mark(500n);
    blocks(1);
    expect(world.reports("market_ended")).toMatchObject([{ reason: "size", held: "0" }]);
    blocks(2);
    expect([status(), pending()]).toEqual(["settled", 0n]);
  });

  test("goes on when the loss is paid in time", () => {
    ruin();
    mark(500n);
    blocks(1);
    expect(status()).toBe("halted");
    mark(950n);
    blocks(1);
    expect(status()).toBe("active");
    expect(pending()).toBe(0n);
    expect(world.reports("market_resumed")).toMatchObject([{ reason: "covered" }]);
  });

  test("goes on when the parameters are taken away", () => {
    ruin();
    mark(500n);
    blocks(1);
    const params = world.margin.state.params.require(world.ctx);
    world.margin.state.params.set(world.ctx, { ...params, marketSettlement: undefined });
    blocks(1);
    expect(world.reports("market_resumed")).toMatchObject([{ reason: "off" }]);
    // As without them: the positions are closed at mark, and the cash stands in the queue.
    blocks(1);
    expect(world.margin.keeper.openInterestLots(world.ctx, BTC)).toBe(0n);
    expect(pending() > 0n).toBe(true);
  });

  test("waits while its price is stale, however long", () => {
    ruin();
    mark(500n);
    blocks(1);
    mark(500n, BTC, false);
    blocks(5);
    expect(status()).toBe("halted");
    mark(480n);
    blocks(1);
    expect(world.reports("market_ended")).toMatchObject([{ mark_ticks: "480" }]);
    blocks(2);
    expect([status(), pending()]).toEqual(["settled", 0n]);
  });

  test("pays and is paid funding up to its end", () => {
    const { shorts } = ruin();
    world.markets.addFunding(world.ctx, BTC, 7n);
    mark(500n);
    blocks(5);
    expect([status(), pending()]).toEqual(["settled", 0n]);
    const paid = world.reports("market_loss_share").map((share) => BigInt(share["gain"] ?? ""));
    expect(paid).toEqual([30n * UNIT + 420n, 20n * UNIT + 280n]);
    expect(world.equity(shorts[0])).toBe((1_000n + 30n - 24n) * UNIT);
  });

  test("takes gains first, then by size from the side the price moved for", () => {
    // The shorts were sold to at 300 long ago: their gain was taken by others, and they stand at a loss.
    const long = world.funded(1, 10n * UNIT);
    const early = world.funded(4, 1_000n * UNIT);
    const shorts = [world.funded(2, 1_000n * UNIT), world.funded(3, 1_000n * UNIT)] as const;
    world.trade(early, shorts[0], 60n, 300n);
    world.trade(early, shorts[1], 40n, 450n);
    world.trade(long, early, 100n, 1_000n);
    mark(400n);
    blocks(5);
    expect([status(), pending()]).toEqual(["settled", 0n]);
    // 60 lost, 10 there, 2 of gains; the other 48 are borne as 60 : 40.
    expect(world.reports("market_loss")).toMatchObject([
      {
        missing: "50000000",
        gains: "2000000",
        by_gains: "2000000",
        by_size: "48000000",
        left: "0",
      },
    ]);
    expect(world.reports("market_loss_share").map(({ paid }) => paid)).toEqual([
      "28800000",
      "21200000",
    ]);
    // Who is out bears nothing.
    expect(world.equity(early)).toBe((1_000n + 42n + 22n) * UNIT);
  });

  test("takes a gain that its account has lost in another market, which then misses it", () => {
    const between = world.funded(1, 5n * UNIT);
    const long = world.funded(2, 10n * UNIT);
    const rich = world.funded(3, 1_000n * UNIT);
    world.trade(long, between, 100n, 1_000n);
    world.trade(between, rich, 100n, 1_000n, ETH);
    // It gains 50 in the one and loses 60 in the other.
    mark(500n);
    mark(400n, ETH);
    blocks(12);
    expect([status(), status(ETH), pending()]).toEqual(["settled", "settled", 0n]);
    expect(world.equity(between)).toBe(0n);
    expect(world.equity(long)).toBe(0n);
    // All of it is what the last of the chain has gained: 60, of which 15 were there to pay it.
    expect(world.equity(rich)).toBe((1_000n + 15n) * UNIT);
  });

  test("keeps in what its accounts hold until they have borne it", () => {
    make({ withdrawalGateMs: 0n });
    const { shorts } = ruin();
    mark(500n);
    const withdraw = () => world.margin.keeper.withdraw(world.ctx, shorts[0], UNIT);
    blocks(1);
    expect(withdraw).toThrow("still to be borne");
    blocks(3);
    expect(world.margin.state.waterfall.shares.size(world.ctx)).toBe(2);
    expect(withdraw).toThrow("still to be borne");
    blocks(1);
    withdraw();
    expect(world.violated()).toBeNull();
  });

  test("is settled and shared a bounded number of accounts a block, as all at once", () => {
    const results = [0, 1].map((most) => {
      make({ settlementAccountsPerBlockMax: most });
      const { long, shorts } = ruin();
      mark(500n);
      blocks(most === 0 ? 5 : 20);
      expect([status(), pending()]).toEqual(["settled", 0n]);
      return [long, ...shorts].map((id) => world.equity(id));
    });
    expect(results[1]).toEqual(results[0]);
  });

  test("goes on from an export in the middle", () => {
    make({ settlementAccountsPerBlockMax: 1 });
    ruin();
    mark(500n);
    blocks(8);
    const { genesis } = world.margin.module;
    if (genesis.kind !== "proto") throw new Error("expected proto genesis");
    const before = GenesisState.decode(genesis.export(world.ctx));
    expect(before.endings.length + before.endingShares.length).toBeGreaterThan(1);
    const copy = createInsuredWorld();
    if (copy.margin.module.genesis.kind !== "proto") throw new Error("expected proto genesis");
    copy.margin.module.genesis.init(copy.ctx, GenesisState.encode(before).finish());
    const after = GenesisState.decode(copy.margin.module.genesis.export(copy.ctx));
    expect([after.endings, after.endingShares]).toEqual([before.endings, before.endingShares]);
  });

  test("waits no longer than it would in a chain that begins lower", () => {
    ruin();
    blocks(40);
    mark(500n);
    blocks(1);
    const { genesis } = world.margin.module;
    if (genesis.kind !== "proto") throw new Error("expected proto genesis");
    const exported = genesis.export(world.ctx);
    expect(GenesisState.decode(exported).endings).toMatchObject([{ sinceHeight: 41n }]);
    const copy = createInsuredWorld();
    if (copy.margin.module.genesis.kind !== "proto") throw new Error("expected proto genesis");
    copy.margin.module.genesis.init(copy.ctx, exported);
    const since = copy.margin.state.waterfall.endings.get(copy.ctx, BTC)?.sinceHeight;
    expect(since).toBe(BigInt(copy.ctx.header.height));
  });
});

describe("what is missing of a market that has been settled", () => {
  test.each(["major", ""])(
    "is paid by what a fund (%s) receives later, and gates nobody",
    (fund) => {
      make({ marketSettlement: undefined, marketGates: true });
      const { shorts } = ruin();
      mark(500n);
      world.markets.expire(world.ctx, BTC, UNIT / 2n);
      blocks(2);
      expect([status(), pending()]).toEqual(["settled", 40n * UNIT]);
      world.ctx.nextBlock(601);
      blocks(1);
      world.margin.keeper.withdraw(world.ctx, shorts[0], UNIT);
      // Another class's money is not for it, and its own goes as far as it reaches.
      world.endow(100n * UNIT, "minor");
      world.endow(30n * UNIT, fund);
      blocks(1);
      expect([pending(), world.balance("minor")]).toEqual([10n * UNIT, 100n * UNIT]);
      world.endow(30n * UNIT, fund);
      blocks(1);
      expect([pending(), world.balance(fund)]).toEqual([0n, 20n * UNIT]);
    },
  );
});

describe("dust", () => {
  test("of less than a unit ends no market where nothing is said of a floor", () => {
    make({ deleverageBandPpm: 0n });
    world.trade(world.funded(1, 50n * UNIT - 1n), world.funded(2, 1_000n * UNIT), 100n, 1_000n);
    mark(500n);
    blocks(3);
    expect(world.reports("market_suspended")).toEqual([]);
    // Closed at mark, and a quantum in the queue until a fund has one.
    expect([status(), pending()]).toEqual(["active", 1n]);
    expect(world.margin.keeper.openInterestLots(world.ctx, BTC)).toBe(0n);
  });

  test("below the floor gates nobody and ends no market", () => {
    make({ shortfallFloor: (50n * UNIT).toString() });
    const { shorts } = ruin();
    mark(500n);
    blocks(4);
    // As without the last stage: 40 are missing, less what deleveraging put on the other side.
    expect(pending() > 0n).toBe(true);
    expect(status()).toBe("active");
    expect(world.margin.keeper.openInterestLots(world.ctx, BTC)).toBe(0n);
    expect(world.reports("withdrawals_gated")).toEqual([]);
    world.margin.keeper.withdraw(world.ctx, shorts[0], UNIT);
    expect(world.violated()).toBeNull();
  });

  test("gates no market either, where markets are gated one by one", () => {
    make({ marketGates: true, marketSettlement: undefined, shortfallFloor: `${50n * UNIT}` });
    ruin();
    mark(500n);
    blocks(3);
    expect(pending() > 0n).toBe(true);
    const short = world.margin.state.custody.solvency.get(world.ctx, BTC);
    expect([short?.shortfall, short?.gatedUntilNs]).toEqual([`${pending()}`, 0n]);
  });
});

describe("invariants", () => {
  test("endings: a loss is shared that has ended no market", () => {
    const id = world.funded(1, UNIT);
    const share = { owner: "", subaccount: 0, gain: "1", room: "0", size: "1" };
    world.margin.state.waterfall.shares.set(world.ctx, id, share);
    expect(world.violated()).toMatch(/^endings: a loss is shared of no market/);
  });

  test("endings: more is owed than was lost", () => {
    const claims = [{ owner: addresses.format(world.owner(1)), subaccount: 0, missing: "2" }];
    const ending = { market: BTC, sinceHeight: 1n, missing: "1", endedHeight: 1n, sunkLots: "0" };
    const after = new Uint8Array(0);
    endings().set(world.ctx, BTC, { ...ending, sharing: true, loss: "1", after, claims });
    expect(world.violated()).toMatch(/^endings: market 1 owes 2 of a loss of 1/);
  });
});

describe("parameters", () => {
  test.each([
    [{ marketSettlement: { afterBlocks: 0, atOncePpm: 0n } }, "after 1 to"],
    [{ marketSettlement: { afterBlocks: 1, atOncePpm: 10n ** 10n } }, "1000 times"],
    [{ shortfallFloor: "-1" }, "floor of at least 0"],
  ])("that are out of range are refused: %o", (over, message) => {
    const params = world.margin.state.params.require(world.ctx);
    expect(() => validateParams({ ...params, ...over }, addresses)).toThrow(message);
  });
});

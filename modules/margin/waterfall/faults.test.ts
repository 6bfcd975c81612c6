import { beforeEach, describe, expect, test } from "vitest";
import { accountId } from "../../kit/account-id.ts";
import { createInsuredWorld, type InsuredWorld } from "../../testing/insured-world.ts";
import { BTC, DENOM, ETH } from "../testing/world.ts";

/** One lot is worth a unit (1e6 quanta) at 1,000 ticks. */
const UNIT = 1_000_000n;

let world: InsuredWorld;
beforeEach(() => {
  world = createInsuredWorld();
});

const mark = (ticks: bigint, market = BTC) => world.markets.setMark(world.ctx, market, ticks);
const endBlock = () => world.margin.keeper.endBlock(world.ctx);
/** Of the only loss. */
function theLoss() {
  const losses = world.losses();
  expect(losses.length).toBe(1);
  const [loss] = losses;
  if (loss === undefined) throw new Error("no loss");
  return loss;
}
function sum(lines: ReadonlyMap<string, bigint>): bigint {
  return [...lines.values()].reduce((total, quanta) => total + quanta, 0n);
}

describe("deleveraging", () => {
  /** A bankrupt long of `lots` against three shorts of 10, 40 and 50 lots. */
  function three(): ReturnType<InsuredWorld["funded"]>[] {
    const long = world.funded(1, 5n * UNIT);
    const shorts = [
      world.funded(2, 10n * UNIT),
      world.funded(3, 10n * UNIT),
      world.funded(4, 10n * UNIT),
    ];
    for (const [i, short] of shorts.entries()) {
      world.trade(long, short, [10n, 40n, 50n][i] ?? 0n, 1_000n);
    }
    return [long, ...shorts];
  }
  const lotsOf = (id: ReturnType<InsuredWorld["funded"]>, market = BTC) =>
    world.margin.keeper.positionLots(world.ctx, id, market);
  const rounds = () => world.reports("deleverage_round");

  test("publishes the round: need, level, and what pro rata would have done", () => {
    three();
    mark(940n);
    endBlock();
    const [round] = rounds();
    expect(round).toMatchObject({
      needed_lots: "100",
      closed_lots: "100",
      side_lots: "100",
      accounts: "3",
      accounts_closed: "3",
      scope: "all",
    });
    const each = world.reports("deleverage");
    expect(each.map((report) => report["pro_rata_lots"]).sort()).toEqual(["10", "40", "50"]);
  });

  test("leaves half of each position while that is enough", () => {
    world.set({ deleverageSharePpm: 500_000 });
    const [, a, b, c] = three() as [never, never, never, never];
    const more = world.funded(5, 1n * UNIT);
    // The bankrupt one holds 20 of 120 lots: without the cap both come from the most leveraged.
    world.trade(more, a, 20n, 1_000n);
    const solvent = world.funded(6, 1_000n * UNIT);
    const first = accountId(world.owner(1), 0);
    world.trade(solvent, first, 100n, 1_000n);
    mark(940n);
    endBlock();
    const [round] = rounds();
    expect(round).toMatchObject({ needed_lots: "20", closed_lots: "20" });
    expect(BigInt(round?.["largest_share_ppm"] ?? "") <= 500_000n).toBe(true);
    expect(lotsOf(a) + lotsOf(b) + lotsOf(c)).toBe(-100n);
    expect(world.violated()).toBeNull();
  });

  test("closes what only hedges last", () => {
    const terms = { id: 3, symbol: "BTC-DATED", feedId: BTC };
    const template = world.markets.terms(world.ctx, BTC);
    if (template === undefined) throw new Error("no terms");
    world.markets.list(world.ctx, { ...template, ...terms });
    mark(1_000n, 3);
    const rich = world.funded(9, 10_000n * UNIT);
    const [, , hedged, naked] = three() as [never, never, never, never];
    // As leveraged as the other, but what it loses here it gains there.
    world.trade(hedged, rich, 40n, 1_000n, 3);
    const closes = (hedgesLast: boolean): bigint[] => {
      const savepoint = world.ctx.state.savepoint();
      world.set({ hedgesLast });
      const long = accountId(world.owner(1), 0);
      world.trade(rich, long, 60n, 1_000n);
      mark(860n);
      mark(860n, 3);
      endBlock();
      const left = [lotsOf(hedged), lotsOf(naked)];
      world.ctx.state.revert(savepoint);
      return left;
    };
    expect(closes(false)[0]).toBeGreaterThan(-30n);
    // The third, with hardly any leverage, gives a lot before a hedge does.
    expect(closes(true)).toEqual([-40n, -11n]);
  });
});

describe("exchange faults", () => {
  test("dYdX, October 2025: one liquidation takes all open interest of an isolated market with the fund one unit short", () => {
    const long = world.funded(1, 10n * UNIT);
    const short = world.funded(2, 1_000n * UNIT);
    world.trade(long, short, 100n, 1_000n);
    mark(850n);
    // 5 units are missing.
    world.endow(5n * UNIT - 1n, "major");
    endBlock();
    expect(world.margin.keeper.openInterestLots(world.ctx, BTC)).toBe(0n);
    const { lines } = theLoss();
    expect(sum(lines)).toBe(0n);
    expect(lines.get("treasury:major")).toBe(5n * UNIT - 1n);
    // One unit short is one tick of every lot; what that brings in beyond the unit goes back to the fund that has paid.
    expect(lines.get("deleveraging")).toBe(100n * 1_000n);
    expect(lines.get("residue")).toBe(1n - 100n * 1_000n);
    expect([world.balance("major"), world.balance()]).toEqual([100n * 1_000n - 1n, 0n]);
    expect(world.markets.quarantined).toEqual([]);
    expect(world.margin.keeper.pendingShortfall(world.ctx, DENOM)).toBe(0n);
    expect(world.violated()).toBeNull();
  });

  test.each([-1n, 0n, 1n])(
    "30: the whole open interest goes with one counterparty and the fund at the deficit %d",
    (over) => {
      const long = world.funded(1, 10n * UNIT);
      const short = world.funded(2, 11n * UNIT);
      world.trade(long, short, 100n, 1_000n);
      mark(850n);
      world.endow(5n * UNIT + over);
      endBlock();
      expect(world.margin.keeper.openInterestLots(world.ctx, BTC)).toBe(0n);
      expect(sum(theLoss().lines)).toBe(0n);
      expect(world.balance()).toBe(over < 0n ? 100n * 1_000n - 1n : over);
      expect(world.violated()).toBeNull();
    },
  );

  test("30: a fault in the market's own step leaves the account in the queue and the ledger whole", () => {
    const long = world.funded(1, 10n * UNIT);
    const short = world.funded(2, 1_000n * UNIT);
    world.trade(long, short, 100n, 1_000n);
    mark(850n);
    world.markets.fail(BTC);
    endBlock();
    expect(world.markets.quarantined.length).toBe(1);
    expect(world.margin.keeper.pendingShortfall(world.ctx, DENOM)).toBe(5n * UNIT);
    expect(world.violated()).toBeNull();
  });

  test("32: a cascade beyond a block's bounds goes on in the next ones, in the same order, until nobody is below zero", () => {
    const run = (): string[] => {
      world = createInsuredWorld({ liquidationsPerBlockMax: 50 });
      const rich = world.funded(5_000, 10_000n * UNIT);
      for (let i = 1; i <= 100; i++) {
        const long = world.funded(i, BigInt(10 + (i % 7)) * UNIT);
        world.trade(long, rich, 100n, 1_000n);
      }
      mark(830n);
      const open: bigint[] = [];
      for (let block = 0; block < 8; block++) {
        world.ctx.nextBlock();
        endBlock();
        expect(world.violated()).toBeNull();
        open.push(world.margin.keeper.pendingShortfall(world.ctx, DENOM));
      }
      // Twenty a block scan the other side.
      expect(open[0]).toBeGreaterThan(0n);
      expect(open.at(-1)).toBe(0n);
      const losses = world.losses();
      for (const { lines } of losses) expect(sum(lines)).toBe(0n);
      expect(losses.length).toBeGreaterThanOrEqual(100);
      return losses.map(({ attributes }) => JSON.stringify(attributes));
    };
    expect(run()).toEqual(run());
  });

  test("33: whatever happens, what came in is what is there, long lots are short lots, and a loss sums to zero", () => {
    const runs = Number(process.env["KEEL_WATERFALL_RUNS"] ?? "6");
    for (let seed = 1; seed <= runs; seed++) {
      world = createInsuredWorld({}, { drawCapPpm: 250_000, firstLossPpm: 500_000 });
      let state = BigInt(seed) * 0x9e3779b97f4a7c15n;
      const next = (below: bigint): bigint => {
        state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n);
        return (state >> 33n) % below;
      };
      world.set({ hedgesLast: seed % 2 === 0, deleverageSharePpm: seed % 3 === 0 ? 500_000 : 0 });
      world.insurance.keeper.setFund(world.ctx, DENOM, "minor", 300_000);
      world.endow(next(20n) * UNIT, "major");
      world.endow(next(20n) * UNIT + 1n, "minor");
      world.endow(next(10n) * UNIT);
      const accounts = Array.from({ length: 12 }, (_, i) =>
        world.funded(i + 1, (5n + next(40n)) * UNIT),
      );
      for (let i = 0; i < 30; i++) {
        const buyer = accounts[Number(next(12n))];
        const seller = accounts[Number(next(12n))];
        if (buyer === undefined || seller === undefined || buyer === seller) continue;
        world.trade(buyer, seller, 1n + next(40n), 1_000n, next(2n) === 0n ? BTC : ETH);
      }
      for (let block = 0; block < 6; block++) {
        world.ctx.nextBlock(60);
        mark(700n + next(600n));
        mark(700n + next(600n), ETH);
        endBlock();
        expect(world.violated()).toBeNull();
      }
      for (const { lines } of world.losses()) expect(sum(lines)).toBe(0n);
      expect(world.markets.quarantined).toEqual([]);
    }
  });
});

/** Random portfolios over two markets, small funds, and a gap of up to 60 %: the waterfall ends, with nothing missing and nothing made. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AccountId, ownerOf } from "../../kit/account-id.ts";
import { createAddresses } from "../../kit/addresses.ts";
import { createInsuredWorld, type InsuredWorld } from "../../testing/insured-world.ts";
import { SETTLEMENT_FLOOR_MIN } from "../limits.ts";
import { BTC, DENOM, ETH } from "../testing/world.ts";

const UNIT = 1_000_000n;
const MARKETS = [BTC, ETH] as const;
const BLOCKS_MAX = 60;
const QUANTA_PER_TICK_LOT = 1_000n;
const addresses = createAddresses("keel");

const trader = fc.nat({ max: 5 });
const trade = fc.record({
  market: fc.constantFrom(...MARKETS),
  buyer: trader,
  seller: trader,
  lots: fc.bigInt({ min: 1n, max: 120n }),
  ticks: fc.bigInt({ min: 900n, max: 1_100n }),
});
const story = fc.record({
  collateral: fc.array(fc.bigInt({ min: 20n, max: 60n }), { minLength: 6, maxLength: 6 }),
  trades: fc.array(trade, { minLength: 2, maxLength: 10 }),
  /** Ticks of 1,000 after the gap. */
  btc: fc.bigInt({ min: 400n, max: 1_600n }),
  eth: fc.bigInt({ min: 400n, max: 1_600n }),
  fund: fc.bigInt({ min: 0n, max: 5n }),
  afterBlocks: fc.integer({ min: 1, max: 3 }),
  perBlock: fc.constantFrom(0, 1, 2),
  gates: fc.boolean(),
  sharePpm: fc.constantFrom(0, 500_000),
});
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;

/** Two markets, neither of which ends for less than a unit. */
const DUST = 2n * SETTLEMENT_FLOOR_MIN;

interface Told {
  readonly world: InsuredWorld;
  readonly ids: readonly AccountId[];
}

/** Only trades after which both sides have at least their maintenance margin, as before any gap. */
function open(told: Story): Told {
  const world = createInsuredWorld({
    marketSettlement: { afterBlocks: told.afterBlocks, atOncePpm: 0n },
    settlementAccountsPerBlockMax: told.perBlock,
    marketGates: told.gates,
  });
  world.set({ deleverageSharePpm: told.sharePpm });
  const ids = told.collateral.map((units, number) => world.funded(number + 1, units * UNIT));
  const { keeper } = world.margin;
  for (const { market, buyer, seller, lots, ticks } of told.trades) {
    const [long, short] = [ids[buyer], ids[seller]];
    if (long === undefined || short === undefined || long === short) continue;
    const savepoint = world.ctx.state.savepoint();
    world.trade(long, short, lots, ticks, market);
    const sound = [long, short].every((id) => {
      const health = keeper.health(world.ctx, id);
      return health !== undefined && health.equity >= health.maintenance;
    });
    if (!sound) world.ctx.state.revert(savepoint);
  }
  world.endow(told.fund * UNIT + 1n);
  return { world, ids };
}

function money({ world, ids }: Told): bigint {
  const { ctx, insurance, margin } = world;
  const funds = insurance.keeper.balance(ctx, DENOM);
  const held = margin.keeper.totals(ctx).feesHeld;
  return ids.reduce((sum, id) => sum + world.equity(id), funds + held);
}

function gained(world: InsuredWorld, id: AccountId): bigint {
  const account = world.margin.keeper.account(world.ctx, id);
  let gain = 0n;
  for (const { lots, market, quote } of account?.positions ?? []) {
    const mark = world.markets.mark(world.ctx, market);
    const value = lots * (mark?.quantaPerLot ?? 0n) + quote;
    if (lots !== 0n && value > 0n) gain += value;
  }
  return gain;
}

/** By being deleveraged, against the mark. */
function givenUp(world: InsuredWorld, id: AccountId): bigint {
  const name = `${addresses.format(ownerOf(id))}/0`;
  let given = 0n;
  for (const report of world.reports("deleverage")) {
    if (report["counterparty"] !== name) continue;
    const apart = BigInt(report["price_ticks"] ?? "") - BigInt(report["mark_ticks"] ?? "");
    given += (apart < 0n ? -apart : apart) * BigInt(report["lots"] ?? "") * QUANTA_PER_TICK_LOT;
  }
  return given;
}

/** What a loss leaves to the queue is left for good. */
const SETTLED = "nothing is left in the queue";

/** The first account sells to `buyer`. */
function btc(buyer: number, lots: bigint, ticks: bigint = 900n) {
  return { market: BTC, buyer, seller: 0, lots, ticks } as const;
}

/** The third account buys from `seller`. */
function eth(seller: number, lots: bigint) {
  return { market: ETH, buyer: 2, seller, lots, ticks: 900n } as const;
}

function endsWell(told: Parameters<typeof open>[0]): void {
  const { world, ids } = open(told);
  const { ctx, margin, markets } = world;
  const outsiders = ids.filter((id) =>
    (margin.keeper.account(ctx, id)?.positions ?? []).every(({ lots }) => lots === 0n),
  );
  const before = outsiders.map((id) => world.equity(id));
  markets.setMark(ctx, BTC, told.btc);
  markets.setMark(ctx, ETH, told.eth);
  const whole = money({ world, ids });
  const gains = new Map(ids.map((id) => [id, gained(world, id)]));
  const worth = new Map(ids.map((id) => [id, world.equity(id)]));
  const settling = (): boolean =>
    margin.state.waterfall.endings.size(ctx) > 0 ||
    margin.state.sweep.get(ctx) !== undefined ||
    margin.keeper.pendingShortfall(ctx, DENOM) >= DUST;
  for (let block = 0; block < BLOCKS_MAX && (block < 2 || settling()); block++) {
    margin.keeper.endBlock(ctx);
    expect(world.violated()).toBeNull();
    // Between the first and the last payment of a sweep one side is ahead.
    if (margin.state.sweep.get(ctx) === undefined) expect(money({ world, ids })).toBe(whole);
    ctx.nextBlock();
  }
  expect(settling(), SETTLED).toBe(false);
  expect(markets.quarantined).toEqual([]);
  for (const { lines } of world.losses()) {
    expect([...lines.values()].reduce((sum, quanta) => sum + quanta, 0n)).toBe(0n);
  }
  for (const loss of world.reports("market_loss")) expect(loss["left"], SETTLED).toBe("0");
  for (const id of ids) {
    expect(world.equity(id) > -DUST).toBe(true);
    const [gain = 0n, value = 0n] = [gains.get(id), worth.get(id)];
    // Nobody ends with less than it would have had without any gain, but for what it has given up when it was deleveraged.
    const least = value - gain - givenUp(world, id);
    expect(world.equity(id) >= (least < 0n ? -DUST : least)).toBe(true);
  }
  expect(outsiders.map((id) => world.equity(id))).toEqual(before);
}

describe("a gap beyond what funds and deleveraging bear", () => {
  it("leaves no deficit but dust, no account that bears more than it gained, every ledger and all money whole", () => {
    fc.assert(fc.property(story, endsWell), {
      numRuns: Number(process.env["KEEL_ENDING_STORIES"] ?? 60),
    });
  });

  // Known, about one in some thousand stories (README): who is below zero and has gained in another market is deleveraged before that market's loss is shared, and
  // its gain leaves with who closes it. To wait with him instead shields large losses behind a tick of gain.
  it.each([
    { trades: [btc(1, 39n), eth(1, 69n)], marks: { btc: 1463n, eth: 1527n }, second: 21n },
    { trades: [btc(1, 41n), eth(1, 69n)], marks: { btc: 1438n, eth: 1525n }, second: 21n },
    {
      trades: [btc(1, 39n, 942n), btc(1, 1n), eth(0, 62n)],
      marks: { btc: 400n, eth: 1588n },
      second: 20n,
    },
  ])("leaves a rest in the queue, as yet, in story %#", ({ marks, second, trades }) => {
    const told = {
      ...{ collateral: [20n, second, 20n, 20n, 20n, 20n], trades, ...marks, fund: 0n },
      ...({ afterBlocks: 1, perBlock: 0, gates: false, sharePpm: 0 } as const),
    };
    expect(() => endsWell(told)).toThrow(SETTLED);
  });
});

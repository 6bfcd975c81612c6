/**
 * Bench 6: a cascade. Ten thousand leveraged longs come under water at once, on the real ledger, books and fund, with a book that is filled up again
 * in every block: how many blocks it takes until nobody is short of margin, and what a block costs meanwhile, without a ladder and with one.
 */
import { createRandom } from "@keel/modules/derivatives/random";
import { SYMBOL, testMarket } from "@keel/modules/derivatives/testing";
import type { AccountId } from "@keel/modules/kit/account-id";
import { defaultLadder } from "@keel/modules/margin/liquidation/terms";
import { BTC, createWorld, type World } from "@keel/modules/testing/world";
import type { LadderTerms } from "@keel/proto/gen/keel/margin/v1/ladder";
import { ownSeconds } from "../machine.ts";
import { type Measurement, percentile } from "../report.ts";

const ACCOUNTS = 10_000;
const BLOCKS_MAX = 3_000;
/** 0.02 of one, 1,200 units at the start. */
const LOTS = 20n;
const START = 60_000;
const FALLEN = 56_400;
const LEVELS = 10;
const LEVEL_SIZE = 5;
const PER_BLOCK = 200;
/** Looking at all accounts takes longer than a block. */
const LOOK_EVERY = 10;

interface Run {
  readonly blockMs: readonly number[];
  readonly counts: Readonly<Record<string, number>>;
  readonly left: number;
}

function populate(ladder: LadderTerms | undefined): {
  readonly world: World;
  readonly maker: AccountId;
  readonly traders: readonly AccountId[];
} {
  const world = createWorld({
    margin: { ladder, liquidationsPerBlockMax: PER_BLOCK },
    fundUnits: 1_000_000n,
  });
  const { ctx, margin } = world;
  world.setPrice(BTC, `${START}`);
  const market = world.list(testMarket());
  const maker = world.funded(1, 1_000_000_000n);
  const random = createRandom(1);
  const traders: AccountId[] = [];
  for (let i = 0; i < ACCOUNTS; i++) {
    // After the fall between a fifth of maintenance below zero and all of it.
    const id = world.funded(10 + i, BigInt(66 + random.below(38)));
    traders.push(id);
    const result = margin.keeper.clear(ctx, {
      ...{ market, priceTicks: BigInt(2 * START), lots: LOTS, taker: "buy", kind: "external" },
      buyer: { account: id, feeQuanta: 0n, orderId: null },
      seller: { account: maker, feeQuanta: 0n, orderId: null },
    });
    if (!result.ok) throw new Error(`the bench could not open a position: ${result.reason}`);
    ctx.state.clearJournal();
  }
  world.block(1, () => world.setPrice(BTC, `${START}`));
  ctx.state.clearJournal();
  return { world, maker, traders };
}

/** Bids of the maker from just below the mark, a tenth of a percent apart. */
function refill(world: World, maker: AccountId): void {
  world.keeper.cancelAll(world.ctx, maker, SYMBOL);
  for (let level = 0; level < LEVELS; level++) {
    const price = Math.floor(FALLEN * (1 - (level + 0.5) / 1_000));
    world.place(SYMBOL, maker, `buy ${LEVEL_SIZE} @ ${price} post`);
  }
}

function short({ ctx, margin }: World, traders: readonly AccountId[]): number {
  let found = 0;
  for (const id of traders) {
    const health = margin.keeper.health(ctx, id);
    if (health !== undefined && health.equity < health.maintenance) found += 1;
  }
  return found;
}

function run(ladder: LadderTerms | undefined): Run {
  const { maker, traders, world } = populate(ladder);
  const { ctx } = world;
  // A book that has stood for as long as its depth is averaged over.
  refill(world, maker);
  for (const seconds of [1, 300]) world.block(seconds, () => world.setPrice(BTC, `${START}`));
  ctx.state.clearJournal();
  const blockMs: number[] = [];
  const counts: Record<string, number> = {};
  let left = ACCOUNTS;
  // The first block ends at the price before.
  world.setPrice(BTC, `${FALLEN}`);
  while (left > 0 && blockMs.length < BLOCKS_MAX) {
    refill(world, maker);
    ctx.events.length = 0;
    ctx.state.clearJournal();
    const before = ownSeconds();
    world.block(1, () => world.setPrice(BTC, `${FALLEN}`));
    blockMs.push((ownSeconds() - before) * 1_000);
    for (const { type } of ctx.events) counts[type] = (counts[type] ?? 0) + 1;
    ctx.state.clearJournal();
    if (blockMs.length % LOOK_EVERY === 0) left = short(world, traders);
  }
  const violated = world.violation();
  if (violated !== null) throw new Error(`after the cascade: ${violated}`);
  return { blockMs, counts, left };
}

function measure(name: string, ladder: LadderTerms | undefined): Measurement {
  const { blockMs, counts, left } = run(ladder);
  return {
    name: `cascade of ${ACCOUNTS.toLocaleString("en")} liquidations, ${name}: a block, p99`,
    value: percentile(blockMs, 99),
    unit: "ms",
    mark: null,
    details: {
      "blocks of a second until nobody is short of margin": blockMs.length,
      "accounts still short": left,
      "accounts a block at most": PER_BLOCK,
      "p50, ms": percentile(blockMs, 50),
      "longest, ms": Math.max(...blockMs),
      "closed at the book": counts["liquidation"] ?? 0,
      deleveragings: counts["deleverage"] ?? 0,
      "deficits covered": counts["deficit_covered"] ?? 0,
      "blocks in which the book was spared": counts["liquidation_throttled"] ?? 0,
    },
  };
}

export function benchCascade(): Measurement[] {
  return [measure("without a ladder", undefined), measure("with a ladder", defaultLadder())];
}

/**
 * Bench 6: who is short of margin at the end of a block, among 10,000, 100,000 and 1,000,000 accounts of three positions each, when all marks
 * fall by 1 % and one account in a thousand stands near its bound; beside it the scan of all that finds the same, and what the bounds weigh.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createRandom, type Random } from "@keel/modules/derivatives/random";
import { type AccountId, accountId } from "@keel/modules/kit/account-id";
import { Registry } from "@keel/modules/kit/collections/schema";
import { type TestContext, testContext } from "@keel/modules/kit/testing/context";
import {
  emptyLedger,
  NO_ASSETS,
  NO_ELSEWHERE,
  type Position,
} from "@keel/modules/margin/account-codec";
import { shortOfMargin } from "@keel/modules/margin/bounds/branch-bounds";
import { boundsOf } from "@keel/modules/margin/bounds/branch-watch";
import { isLiquidatable, maintenanceHealth } from "@keel/modules/margin/health/health";
import type { MarketView, MarketViews } from "@keel/modules/margin/health/market-view";
import { type MarginState, marginState } from "@keel/modules/margin/state";
import { MemoryCommitStore } from "@keel/node/store/memory-commit-store";
import { ownSeconds } from "../machine.ts";
import type { Measurement } from "../report.ts";

const SIZES = [10_000, 100_000, 1_000_000] as const;
const MARKETS = 30;
const HELD = 3;
const NEAR_PPM = 1_000;
const ROUNDS = 15;
const MARK_MS = 20;
const BYTES_MARK = 500;
const BYTES_WITH_TREES_MARK = 1_500;
/** With fewer accounts what else comes and goes on the heap weighs as much. */
const WEIGHED_FROM = 100_000;
const TIERS = [
  { aboveQuanta: 0n, initialPpm: 50_000n, maintenancePpm: 30_000n },
  { aboveQuanta: 1_000_000_000_000n, initialPpm: 100_000n, maintenancePpm: 60_000n },
];
const MAINTENANCE_PPM = 30_000n;

interface Population {
  readonly registry: Registry;
  readonly ctx: TestContext;
  readonly state: MarginState;
  readonly ids: readonly AccountId[];
  readonly near: readonly AccountId[];
}

function view(market: number, falls: number): MarketView {
  const quantaPerLot = (BigInt(market) * 10_000_000n * BigInt(100 - falls)) / 100n;
  return {
    terms: {
      ...{ id: market, symbol: `M${market}`, feedId: 1, quantaPerTickLot: 100n, tiers: TIERS },
      ...{ status: "active", liquidationBandPpm: 80_000n },
    },
    ...{ markTicks: quantaPerLot / 100n, fresh: true, fundingIndex: 0n },
    ...{ quantaPerLot, notionalPerLot: quantaPerLot, losses: null },
  };
}

/** Before the fall, and after it. */
function viewsAt(falls: number): MarketViews {
  const views = Array.from({ length: MARKETS + 1 }, (_, market) => view(market, falls));
  return (market) => views[market];
}

/** Three markets in a row, opened at the mark. Those near their bound are long and have 0.2 to 0.9 % of their size to lose, others 3 to 30 %. */
function account(random: Random, near: boolean) {
  const first = 1 + random.below(MARKETS - HELD + 1);
  const positions: Position[] = [];
  let gross = 0n;
  for (let market = first; market < first + HELD; market++) {
    const size = BigInt(1 + random.below(50));
    const lots = near || random.below(2) === 0 ? size : -size;
    const value = size * view(market, 0).quantaPerLot;
    gross += value;
    positions.push({
      ...{ market, lots, quote: lots > 0n ? -value : value },
      ...{ fundingIndex: 0n, openBuyLots: 0n, openSellLots: 0n },
    });
  }
  const ppm = near ? 2_000 + random.below(7_000) : 30_000 + random.below(270_000);
  const collateral = (gross * (MAINTENANCE_PPM + BigInt(ppm))) / 1_000_000n;
  return {
    collateral,
    feeReserve: 0n,
    portfolio: false,
    isolated: false,
    positions,
    assets: NO_ASSETS,
    elsewhere: NO_ELSEWHERE,
  };
}

function populate(size: number): Population {
  const random = createRandom(size);
  const registry = new Registry();
  const state = marginState(registry.schema("margin"));
  const ctx = testContext(registry);
  const ids: AccountId[] = [];
  const near: AccountId[] = [];
  const holders = new Array<bigint>(MARKETS + 1).fill(0n);
  for (let i = 0; i < size; i++) {
    const owner = new Uint8Array(20);
    new DataView(owner.buffer).setUint32(0, i);
    const id = accountId(owner, 0);
    const isNear = i % (1_000_000 / NEAR_PPM) === 0;
    ids.push(id);
    if (isNear) near.push(id);
    const made = account(random, isNear);
    for (const { market } of made.positions) holders[market] = (holders[market] as bigint) + 1n;
    state.accounts.set(ctx, id, made);
    state.active.set(ctx, id, true);
    if (i % 10_000 === 0) ctx.state.clearJournal();
  }
  for (let market = 1; market <= MARKETS; market++)
    state.ledgers.set(ctx, market, {
      ...emptyLedger(market),
      positions: holders[market] as bigint,
    });
  ctx.state.clearJournal();
  return { registry, ctx, state, ids, near };
}

function collector(): () => number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  return () => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
}

/** Processor milliseconds. */
function timed<T>(work: () => T): { readonly ms: number; readonly result: T } {
  const before = ownSeconds();
  const result = work();
  return { ms: (ownSeconds() - before) * 1000, result };
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}

/** Accounts short of margin by looking at all. */
function scanAll({ ctx, state }: Population, views: MarketViews): number {
  let found = 0;
  state.active.each(ctx, (id) => {
    const held = state.accounts.get(ctx, id);
    const health = held === undefined ? null : maintenanceHealth(held, views);
    if (health !== null && isLiquidatable(health)) found += 1;
  });
  return found;
}

interface Sweep {
  readonly fallMs: number;
  readonly quietMs: number;
  readonly looks: number;
  readonly found: number;
}

/** The near ones are written, as by a deposit, given new bounds at the old marks, and then all marks fall. */
function sweep(population: Population, calm: MarketViews, fallen: MarketViews): Sweep {
  const { ctx, state, near } = population;
  const look = (views: MarketViews): number => {
    const found = shortOfMargin(ctx, state, views, true).length;
    ctx.state.clearJournal();
    return found;
  };
  look(calm);
  for (const id of near) state.accounts.set(ctx, id, { ...require(state.accounts.get(ctx, id)) });
  look(calm);
  look(calm);
  const quiet = timed(() => look(calm));
  const fall = timed(() => look(fallen));
  const looks = boundsOf(ctx)?.lastLooks ?? 0;
  return { fallMs: fall.ms, quietMs: quiet.ms, looks, found: fall.result };
}

function require<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("an account of the bench is gone");
  return value;
}

function weighed(bytes: number): Measurement["details"] {
  return {
    "bytes of bounds per account in all": bytes,
    "mark for bytes": `≤ ${BYTES_MARK}: ${bytes <= BYTES_MARK ? "reached" : "missed"}`,
  };
}

/** The account's records in the committed trees, hashed: keys, values, nodes. */
function committed({ ctx, registry }: Population): MemoryCommitStore {
  const changes = registry.collections.flatMap(({ id, prefix, encode }) => {
    const found: { key: string; value: string }[] = [];
    if (prefix !== null)
      ctx.state.range(id, "", undefined, (key, held) => {
        found.push({ key: prefix + key, value: encode(held) });
      });
    return found;
  });
  changes.sort((a, b) => (a.key < b.key ? -1 : 1));
  const store = new MemoryCommitStore({ stores: ["margin"] });
  store.stage(1, [{ store: "margin", changes }]);
  return store;
}

function weighedWithTrees(
  population: Population,
  bounds: number,
  memory: () => number,
): Measurement["details"] {
  const before = memory();
  const store = committed(population);
  const bytes = bounds + (memory() - before) / population.ids.length;
  if (store.height !== 0) throw new Error("nothing was to be committed");
  return {
    "bytes per account with trees": bytes,
    "mark for bytes with trees": `≤ ${BYTES_WITH_TREES_MARK}: ${bytes <= BYTES_WITH_TREES_MARK ? "reached" : "missed"}`,
  };
}

function measure(size: number, memory: () => number): Measurement {
  const population = populate(size);
  const { ctx, state } = population;
  const calm = viewsAt(0);
  const fallen = viewsAt(1);
  const before = memory();
  const first = timed(() => shortOfMargin(ctx, state, calm, true));
  ctx.state.clearJournal();
  const bytes = (memory() - before) / size;
  const sweeps = Array.from({ length: ROUNDS }, () => sweep(population, calm, fallen));
  const last = require(sweeps[ROUNDS - 1]);
  const scan = timed(() => scanAll(population, fallen));
  if (scan.result !== last.found)
    throw new Error(`the scan finds ${scan.result} accounts, the bounds ${last.found}`);
  const value = middle(sweeps.map(({ fallMs }) => fallMs));
  return {
    name: `solvency of ${size.toLocaleString("en")} accounts after a fall of 1 %`,
    value,
    unit: "ms",
    mark: size === SIZES[2] ? { atMost: MARK_MS } : null,
    details: {
      "near their bound": population.near.length,
      "looked at": last.looks,
      "short of margin": last.found,
      "block without a move, ms": middle(sweeps.map(({ quietMs }) => quietMs)),
      "scan of all, ms": scan.ms,
      "scan of all / bounds": scan.ms / value,
      "first look after a start, ms": first.ms,
      "bytes of bounds per account in typed arrays": require(boundsOf(ctx)).byteLength / size,
      ...(size < WEIGHED_FROM ? {} : weighed(bytes)),
      ...(size === WEIGHED_FROM ? weighedWithTrees(population, bytes, memory) : {}),
    },
  };
}

export function benchSolvency(): Measurement[] {
  const memory = collector();
  return SIZES.map((size) => measure(size, memory));
}

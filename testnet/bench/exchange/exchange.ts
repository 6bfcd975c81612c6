/**
 * Bench 5: the exchange. The book alone; then, behind the application and with commitment: orders collected for batch auctions, orders of
 * accounts that hold 1, 10 and 50 positions (so many are valued at every margin check), and an expiry with all positions of its chain.
 */
import { createKernelBench } from "@keel/modules/derivatives/book/bench-kernel";
import {
  defaultAuctionTerms,
  defaultParams,
  defaultTerms,
  linearPerpetual,
} from "@keel/modules/derivatives/defaults";
import { createRandom } from "@keel/modules/derivatives/random";
import { storeNames } from "@keel/node/app/app";
import { TestChain } from "@keel/node/app/testing/chain";
import { MemoryCommitStore } from "@keel/node/store/memory-commit-store";
import type { Market, MarketTerms } from "@keel/proto/gen/keel/derivatives/v1/types";
import { ownSeconds } from "../machine.ts";
import { blocksMeasurement, trusting } from "../measured-blocks.ts";
import { OrderFlow, type Sent } from "../order-flow.ts";
import type { Measurement } from "../report.ts";
import { CHAIN, ORDERS_PER_BLOCK, runFlow, TRADERS } from "../state-machine.ts";
import { createTraders, type Trader } from "../trader.ts";
import { auctionOrder } from "./auction-order.ts";
import { benchExpiry } from "./expiry.ts";
import { holdingsState } from "./holdings.ts";

const RESTING = 100_000;
const OPERATIONS = 1_000_000;
const BOOK_MARK = 1_000_000;
const ORDERS_MARK = 12_000;
/** Positions of each account; the mark is for the middle one. */
const HELD = [1, 10, 50] as const;
const MARKED = 10;
const MIDDLE_TICKS = 650_000;
/** Of a tick and a lot of these markets: 0.1 × 0.001. */
const QUANTA_PER_TICK_LOT = 100n;
const LOTS = 40n;
/** A record of an account grows with its positions, and gas with what is written. */
const GAS_LIMIT = 4_000_000;
const COLLATERAL_QUANTA = 1_000_000_000_000n;

export async function benchExchange(blocks: number): Promise<Measurement[]> {
  const results: Measurement[] = [benchBook(), await benchAuctions(blocks)];
  for (const held of HELD) results.push(await benchPositions(held, blocks));
  results.push(await benchExpiry());
  return results;
}

function benchBook(): Measurement {
  const bench = createKernelBench({ resting: RESTING, seed: 1, spreadTicks: 2_000 });
  bench.run(OPERATIONS / 5);
  const cpu = ownSeconds();
  const start = performance.now();
  const { fills } = bench.run(OPERATIONS);
  const seconds = (performance.now() - start) / 1000;
  return {
    name: "book operations, 100,000 resting orders",
    value: OPERATIONS / seconds,
    unit: "operations/s",
    mark: { atLeast: BOOK_MARK },
    details: {
      "processor time per operation, µs": ((ownSeconds() - cpu) / OPERATIONS) * 1e6,
      "operations per processor second": OPERATIONS / (ownSeconds() - cpu),
      fills,
    },
  };
}

function perpetual(number: number, terms: MarketTerms): Market {
  const base = linearPerpetual({
    symbol: `BTC-PERP${number === 1 ? "" : `-${number}`}`,
    baseAsset: "BTC",
    quoteAsset: "USD",
    feedId: 1,
    tickSize: "0.1",
    lotSize: "0.001",
  });
  return { ...base, terms };
}

export async function openChain(held: number, terms: MarketTerms): Promise<TestChain> {
  const traders = createTraders(TRADERS, "account", CHAIN, GAS_LIMIT);
  const chain = new TestChain({
    store: new MemoryCommitStore({ stores: storeNames }),
    accounts: TRADERS,
    extensionsFrom: 1,
    verifier: trusting(),
    appState: holdingsState({
      owners: traders.map(({ address }) => address),
      prefix: CHAIN.prefix,
      markets: Array.from({ length: held }, (_, i) => perpetual(i + 1, terms)),
      held,
      lots: LOTS,
      openedAt: BigInt(MIDDLE_TICKS) * QUANTA_PER_TICK_LOT,
      collateralQuanta: COLLATERAL_QUANTA,
      params: defaultParams(),
    }),
  });
  await chain.start();
  await chain.decide([]);
  return chain;
}

export async function benchPositions(held: number, blocks: number): Promise<Measurement> {
  const chain = await openChain(held, defaultTerms());
  const flow = new OrderFlow(createTraders(TRADERS, "account", CHAIN, GAS_LIMIT), {
    seed: 1,
    market: "BTC-PERP",
    middleTicks: MIDDLE_TICKS,
    cancelLag: 2 * ORDERS_PER_BLOCK,
  });
  const runs = await runFlow(chain, flow, blocks);
  return blocksMeasurement(
    `orders of accounts with ${held} position${held === 1 ? "" : "s"}`,
    runs,
    {
      items: blocks * ORDERS_PER_BLOCK,
      noun: "order",
      mark: held === MARKED ? { atLeast: ORDERS_MARK } : null,
    },
  );
}

/** Every block: orders of both sides scattered around mark, all in one auction; about half of them trade, the rest leaves. */
async function benchAuctions(blocks: number): Promise<Measurement> {
  const chain = await openChain(1, { ...defaultTerms(), auction: defaultAuctionTerms() });
  const traders = createTraders(TRADERS, "account", CHAIN, GAS_LIMIT);
  const random = createRandom(1);
  let sent = 0;
  const next = (): Sent => {
    const trader = traders[random.below(TRADERS)] as Trader;
    const ticks = MIDDLE_TICKS + random.below(401) - 200;
    return { trader, message: auctionOrder(trader, `a${sent++}`, random.below(2) === 0, ticks) };
  };
  const runs = await runFlow(chain, { next, maker: next }, blocks);
  return blocksMeasurement("orders in batch auctions, 1,000 each", runs, {
    items: blocks * ORDERS_PER_BLOCK,
    noun: "order",
    mark: null,
  });
}

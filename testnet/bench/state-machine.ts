/**
 * Bench 2: the state machine without signatures. Real modules behind the application, every signature taken for good, blocks of
 * 1,000 transactions decoded, executed, hashed into the trees and committed in memory.
 */
import { storeNames } from "@keel/node/app/app";
import { TestChain } from "@keel/node/app/testing/chain";
import { openMarket, priceTx } from "@keel/node/app/testing/market-load";
import { MemoryCommitStore } from "@keel/node/store/memory-commit-store";
import { blocksMeasurement, timedBlock, trusting } from "./measured-blocks.ts";
import { OrderFlow, type Sent } from "./order-flow.ts";
import type { Measurement } from "./report.ts";
import { createTraders } from "./trader.ts";

const TRADERS = 400;
const BOOK_ORDERS = 8_000;
const ORDERS_PER_BLOCK = 1_000;
/** Timeouts of unordered transactions, so that their removal is part of every measured block. */
const TTL_BLOCKS = 8;
/** The engine goes on compiling for about so many. */
const WARM_BLOCKS = 20;
const MARK = 8_000;
const CHAIN = { id: "keel-test-1", prefix: "keel" };

export async function benchStateMachine(blocks: number): Promise<Measurement[]> {
  const chain = new TestChain({
    store: new MemoryCommitStore({ stores: storeNames }),
    accounts: TRADERS,
    extensionsFrom: 1,
    verifier: trusting(),
  });
  await openMarket(chain, "900000000");
  const traders = createTraders(TRADERS, "account", CHAIN);
  const flow = new OrderFlow(traders, {
    seed: 1,
    market: "BTC-PERP",
    middleTicks: 650_000,
    cancelLag: 2 * ORDERS_PER_BLOCK,
  });
  const runs = await runFlow(chain, flow, blocks);
  const items = blocks * ORDERS_PER_BLOCK;
  return [
    blocksMeasurement("state machine", runs, { items, noun: "order", mark: { atLeast: MARK } }),
  ];
}

/** Fills a book, warms up, then measures so many blocks of the flow. */
export async function runFlow(
  chain: TestChain,
  flow: Pick<OrderFlow, "maker" | "next">,
  blocks: number,
): Promise<Awaited<ReturnType<typeof timedBlock>>[]> {
  let sent = 0;
  const block = (make: () => Sent): Uint8Array[] => [
    priceTx(chain),
    ...Array.from({ length: ORDERS_PER_BLOCK }, () => {
      const { trader, message } = make();
      const untilNs = chain.timeNs(chain.height + 1 + TTL_BLOCKS) + BigInt(sent++);
      return trader.sign([message], untilNs);
    }),
  ];
  for (let i = 0; i < BOOK_ORDERS / ORDERS_PER_BLOCK; i++)
    await chain.decide(block(() => flow.maker()));
  for (let i = 0; i < WARM_BLOCKS; i++) await chain.decide(block(() => flow.next()));
  const runs: Awaited<ReturnType<typeof timedBlock>>[] = [];
  for (let i = 0; i < blocks; i++)
    runs.push(
      await timedBlock(
        chain,
        block(() => flow.next()),
      ),
    );
  return runs;
}

export { CHAIN, ORDERS_PER_BLOCK, TRADERS };

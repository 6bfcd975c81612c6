/**
 * Bench 2: the state machine without signatures. Real modules behind the application, every signature taken for good, blocks of
 * 1,000 transactions decoded, executed, hashed into the trees and committed in memory.
 */
import { storeNames } from "@keel/node/app/app";
import { TestChain } from "@keel/node/app/testing/chain";
import { openMarket, priceTx } from "@keel/node/app/testing/market-load";
import type { SignatureVerifier } from "@keel/node/crypto/verifier";
import { createVerifier } from "@keel/node/crypto/verifier";
import { MemoryCommitStore } from "@keel/node/store/memory-commit-store";
import { ownSeconds } from "./machine.ts";
import { OrderFlow } from "./order-flow.ts";
import type { Measurement } from "./report.ts";
import { percentile } from "./report.ts";
import { createTraders } from "./trader.ts";

const TRADERS = 400;
const BOOK_ORDERS = 8_000;
const ORDERS_PER_BLOCK = 1_000;
/** Timeouts of unordered transactions, so that their removal is part of every measured block. */
const TTL_BLOCKS = 8;
const WARM_BLOCKS = 10;
const MARK = 8_000;
const CHAIN = { id: "keel-test-1", prefix: "keel" };

function trusting(): SignatureVerifier {
  const real = createVerifier({ backend: "native", workers: 0 });
  return { ...real, verifySecp256k1: () => true };
}

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
  let sent = 0;
  const block = (make: () => ReturnType<OrderFlow["next"]>): Uint8Array[] =>
    Array.from({ length: ORDERS_PER_BLOCK }, () => {
      const { trader, message } = make();
      const untilNs = chain.timeNs(chain.height + 1 + TTL_BLOCKS) + BigInt(sent++);
      return trader.sign([message], untilNs);
    });

  for (let i = 0; i < BOOK_ORDERS / ORDERS_PER_BLOCK; i++)
    await chain.decide([priceTx(chain), ...block(() => flow.maker())]);
  const decide = async (): Promise<{ seconds: number; cpu: number; failed: string[] }> => {
    const txs = [priceTx(chain), ...block(() => flow.next())];
    const cpu = ownSeconds();
    const start = performance.now();
    const { txResults } = await chain.decide(txs);
    return {
      seconds: (performance.now() - start) / 1000,
      cpu: ownSeconds() - cpu,
      failed: txResults.flatMap(({ code, log }) => (code === 0 ? [] : [log])),
    };
  };
  for (let i = 0; i < WARM_BLOCKS; i++) await decide();
  const runs: Awaited<ReturnType<typeof decide>>[] = [];
  for (let i = 0; i < blocks; i++) runs.push(await decide());
  if (chain.faults.length > 0)
    throw new Error(`contained fault: ${chain.faults[0]?.error.message}`);

  const orders = blocks * ORDERS_PER_BLOCK;
  const sum = (pick: (run: (typeof runs)[number]) => number): number =>
    runs.reduce((total, run) => total + pick(run), 0);
  return [
    {
      name: "state machine",
      value: orders / sum(({ seconds }) => seconds),
      unit: "orders/s",
      mark: { atLeast: MARK },
      details: {
        "processor time per order, µs": (sum(({ cpu }) => cpu) / orders) * 1e6,
        "orders per processor second": orders / sum(({ cpu }) => cpu),
        "block p50, ms": percentile(
          runs.map(({ seconds }) => seconds * 1000),
          50,
        ),
        "block p99, ms": percentile(
          runs.map(({ seconds }) => seconds * 1000),
          99,
        ),
        blocks,
        "orders refused by the market, %": (sum(({ failed }) => failed.length) / orders) * 100,
        ...firstReason(runs.flatMap(({ failed }) => failed)),
      },
    },
  ];
}

function firstReason(reasons: readonly string[]): Record<string, string> {
  const [first] = reasons;
  return first === undefined ? {} : { "first refusal": first };
}

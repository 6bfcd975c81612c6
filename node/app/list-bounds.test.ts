/** What lists name fits a block, and nobody keeps others' out of them. */
import { txBytesInBlock } from "@keel/consensus/wire/block";
import { defaultConsensusParams, maxBlockBytes } from "@keel/consensus/wire/params";
import type { ConsensusParams } from "@keel/consensus/wire/types";
import type { MessageRoute } from "@keel/modules/kit/module";
import { INCLUSION_LIST_MAX, NAMED_MAX } from "@keel/modules/oracle/limits";
import { keysOf, txKeys } from "@keel/modules/oracle/lists/keys";
import { OracleVote } from "@keel/proto/gen/keel/oracle/v1/types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createGenesis } from "../genesis/create.ts";
import { TransactionPool } from "../mempool/pool.ts";
import { LISTED_GAS_MAX, LISTED_GAS_UNLIMITED, LISTED_TX_BYTES_MAX } from "./limits.ts";
import { type ListBounds, listBounds } from "./list-bounds.ts";
import type { PendingSource } from "./listing.ts";
import { oracleTxOf } from "./oracle-tx.ts";
import type { TestChain } from "./testing/chain.ts";
import { byKey, holding, listingChain, SEND, transfers, youngOf } from "./testing/listing-chain.ts";
import { listingCommit } from "./testing/market-load.ts";
import { sendMessage } from "./testing/signer.ts";

const PRICE = 6_500_000n;

function paramsOf(maxGas: bigint, maxBytes: bigint = 22_020_096n): ConsensusParams {
  return { ...defaultConsensusParams, block: { maxGas, maxBytes } };
}

const fresh = createGenesis({
  ...{ chainId: "fresh-1", genesisTime: { seconds: 0n, nanos: 0 } },
  ...{ validators: [], accounts: [], authority: null },
}).consensusParams;

describe("bounds of a list", () => {
  it("are a share of a block's gas and bytes, and the largest cancel's in a small block as long as six of them fit", () => {
    const gasOf = (maxGas: bigint) => {
      const { gas, txGas } = listBounds(paramsOf(maxGas));
      return [gas, txGas];
    };
    expect(gasOf(-1n)).toEqual([LISTED_GAS_UNLIMITED, LISTED_GAS_MAX]);
    expect(gasOf(fresh.block.maxGas)).toEqual([40_000_000n, LISTED_GAS_MAX]);
    expect(gasOf(2_000_000_000n)).toEqual([160_000_000n, LISTED_GAS_MAX]);
    expect(gasOf(60_000_000n)).toEqual([4_800_000n, LISTED_GAS_MAX]);
    expect(gasOf(6n * LISTED_GAS_MAX)).toEqual([LISTED_GAS_MAX, LISTED_GAS_MAX]);
    expect(gasOf(20_000_000n)).toEqual([3_333_333n, 3_333_333n]);
    expect(gasOf(0n)).toEqual([0n, 0n]);
    const bytesOf = (maxBytes: bigint) => {
      const { bytes, txBytes } = listBounds(paramsOf(-1n, maxBytes));
      return [bytes, txBytes];
    };
    expect(bytesOf(1_200_000n)).toEqual([100_000, txBytesInBlock(LISTED_TX_BYTES_MAX)]);
    expect(bytesOf(12_000n)).toEqual([1_000, 1_000]);
    expect(bytesOf(-1n)[0]).toBeGreaterThan(INCLUSION_LIST_MAX * LISTED_TX_BYTES_MAX);
  });

  it("let all that honest lists can have overdue and listed fit a block, whatever its size, powers and lists", () => {
    const validator = fc.record({
      power: fc.integer({ min: 1, max: 100 }),
      names: fc.array(fc.nat(29), { maxLength: 40 }),
    });
    const sizes = fc.array(fc.integer({ min: 1, max: 1_000_000 }), {
      minLength: 30,
      maxLength: 30,
    });
    const blocks = fc.tuple(fc.bigInt(0n, 1_000_000_000n), fc.bigInt(1n, 22_020_096n));
    fc.assert(
      fc.property(
        fc.array(validator, { minLength: 1, maxLength: 7 }),
        ...[sizes, blocks],
        (validators, weights, [maxGas, maxBytes]) => {
          const params = paramsOf(maxGas, maxBytes);
          const bounds = listBounds(params);
          const gas = weights.map((part) => (bounds.txGas * BigInt(part)) / 1_000_000n);
          const bytes = weights.map((part) => Math.floor((bounds.txBytes * part) / 1_000_000));
          const lists = validators.map(({ names }) => listWithin(names, gas, bytes, bounds));
          const total = validators.reduce((sum, { power }) => sum + power, 0);
          const named = gas.flatMap((_, tx) => {
            const by = validators.reduce(
              (sum, { power }, at) => sum + (lists[at]?.has(tx) === true ? power : 0),
              0,
            );
            return 3 * by > total ? [tx] : [];
          });
          const gasNamed = named.reduce((sum, tx) => sum + (gas[tx] as bigint), 0n);
          const bytesNamed = named.reduce((sum, tx) => sum + (bytes[tx] as number), 0);
          // What is overdue was named by such lists, too.
          expect(2n * gasNamed).toBeLessThanOrEqual(maxGas);
          expect(2 * bytesNamed).toBeLessThanOrEqual(maxBlockBytes(params) / 2);
        },
      ),
    );
  });

  it("let a new network's block hold what is named by lists of which a third is full of the largest", () => {
    const full = BigInt(INCLUSION_LIST_MAX) * LISTED_GAS_MAX;
    expect(2n * listBounds(fresh).gas + full).toBeLessThanOrEqual(fresh.block.maxGas);
    const bytes = 2 * NAMED_MAX * txBytesInBlock(LISTED_TX_BYTES_MAX);
    expect(bytes).toBeLessThan(maxBlockBytes(fresh) / 2);
  });
});

/** Of these names, in their sequence, as many as one list may have. */
function listWithin(
  names: readonly number[],
  gas: readonly bigint[],
  bytes: readonly number[],
  bounds: ListBounds,
): ReadonlySet<number> {
  const list = new Set<number>();
  let [gasLeft, bytesLeft] = [bounds.gas, bounds.bytes];
  for (const tx of names) {
    if (list.has(tx)) continue;
    gasLeft -= gas[tx] as bigint;
    bytesLeft -= bytes[tx] as number;
    if (gasLeft < 0n || bytesLeft < 0) break;
    list.add(tx);
  }
  return list;
}

async function namedBy(chain: TestChain): Promise<readonly string[]> {
  const extension = await chain.app.extendVote({ block: chain.proposed([]), round: 0 });
  expect(chain.faults).toEqual([]);
  return keysOf(OracleVote.decode(extension).transactions);
}

describe("a node's list", () => {
  it("has no more gas than its share of a block, in a smaller one less", async () => {
    const gas = Number(LISTED_GAS_MAX);
    for (const [maxGas, count] of [
      [-1n, 9],
      [100_000_000n, 1],
      [200_000_000n, 3],
    ] as const) {
      let held: readonly Uint8Array[] = [];
      const chain = await listingChain({ maxGas, app: { pending: holding(() => held) } });
      held = transfers(chain, 40, { gas });
      expect(await namedBy(chain)).toEqual(txKeys(held.slice(0, count)).sort());
    }
  });

  it("has no more bytes than its share of a block", async () => {
    let held: readonly Uint8Array[] = [];
    const app = { pending: holding(() => held) };
    const chain = await listingChain({ maxBytes: 60_000n, app });
    held = transfers(chain, 10, { memo: "m".repeat(1_000) });
    const size = txBytesInBlock(held[0]?.length as number);
    const count = Math.floor(5_000 / size);
    expect(count).toBeGreaterThan(1);
    expect(await namedBy(chain)).toEqual(txKeys(held.slice(0, count)).sort());
    held = transfers(chain, 1, { memo: "m".repeat(5_000) });
    expect(await namedBy(chain)).toEqual([]);
  });

  it("lets a small block hold all that is overdue and listed of the largest", async () => {
    const maxGas = 6n * LISTED_GAS_MAX;
    let held: readonly Uint8Array[] = [];
    const chain = await listingChain({ maxGas, app: { pending: holding(() => held) } });
    const all = transfers(chain, 4, { gas: Number(LISTED_GAS_MAX) });
    held = all;
    expect(await namedBy(chain)).toHaveLength(1);
    // Each half of the validators names another one, and the block puts them off.
    const halves = (from: number) =>
      listingCommit(chain, PRICE, (at) => [all[from + (at < 2 ? 0 : 1)] as Uint8Array]);
    await chain.decide([oracleTxOf(halves(0))]);
    const txs = await chain.prepare([], halves(2));
    expect(txs.slice(1)).toEqual([...byKey(all.slice(0, 2)), ...byKey(all.slice(2))]);
    expect(await chain.app.processProposal(chain.proposed(txs))).toBe(true);
  });

  it("has not what is more than a sixth of the block, which a proposer may still take in; a cancel with less gas it has", async () => {
    let held: readonly Uint8Array[] = [];
    const chain = await listingChain({
      maxGas: 20_000_000n,
      app: { pending: holding(() => held) },
    });
    const [large] = transfers(chain, 1, { gas: Number(LISTED_GAS_MAX) }) as [Uint8Array];
    const [small] = transfers(chain, 1, { gas: 3_333_333, from: 2 }) as [Uint8Array];
    held = [large, small];
    expect(await namedBy(chain)).toEqual(txKeys([small]));
    const txs = await chain.prepare(
      held,
      listingCommit(chain, PRICE, () => [small]),
    );
    expect(txs.slice(1)).toEqual([small, large]);
    const { txResults } = await chain.decide(txs);
    expect(txResults.map(({ code }) => code)).toEqual([0, 0, 0]);
  });
});

/** A chain with its pool; a transfer of 7 is urgent. */
async function withPool() {
  let pool: TransactionPool | undefined;
  const pending: PendingSource = {
    young: (at) => pool?.young(at) ?? youngOf([]),
    find: (key) => pool?.find(key),
  };
  const chain = await listingChain({ accounts: 4, app: { pending } });
  chain.app.look((keel) => {
    const messages = keel.messages as Map<string, MessageRoute>;
    const route = messages.get(SEND) as MessageRoute;
    const lane = (message: { readonly amount: readonly { readonly amount: string }[] }) =>
      message.amount[0]?.amount === "7" ? 1 : 3;
    messages.set(SEND, { ...route, lane: lane as MessageRoute["lane"] });
  });
  pool = new TransactionPool({ app: chain.app });
  let n = 0n;
  const send = async (from: number, amount: number, gas: number = 200_000) => {
    const signer = chain.account(from);
    const message = sendMessage(signer.address, chain.account(3).address, `${amount}ukeel`);
    n += 1n;
    const unorderedUntilNs = chain.timeNs() + 60_000_000_000n + n;
    const tx = signer.sign([message], { unorderedUntilNs, gas });
    expect(await pool?.submit(tx, null)).toMatchObject({ result: { code: 0 } });
    return tx;
  };
  return { chain, send };
}

describe("one sender's flood", () => {
  it("keeps neither others' transactions nor their cancels out of the list", async () => {
    const { chain, send } = await withPool();
    const flood: Uint8Array[] = [];
    for (let i = 0; i < 600; i++) flood.push(await send(0, 1));
    const urgent: Uint8Array[] = [];
    for (let i = 0; i < 60; i++) urgent.push(await send(0, 7));
    const [first, second] = [await send(1, 1), await send(1, 2)];
    const [order, cancel] = [await send(2, 1), await send(2, 7)];
    const named = await namedBy(chain);
    expect(named).toHaveLength(INCLUSION_LIST_MAX);
    const has = (...txs: Uint8Array[]) => txKeys(txs).filter((key) => named.includes(key)).length;
    expect(has(first, second, order, cancel)).toBe(4);
    // It has what they leave: its own urgent ones first, then its oldest.
    expect(has(...urgent)).toBe(60);
    expect(has(...flood.slice(0, 36))).toBe(36);
  });

  it("of the largest gas does not either", async () => {
    const { chain, send } = await withPool();
    for (let i = 0; i < 20; i++) for (const from of [0, 1]) await send(from, 7, 4_200_000);
    const cancel = await send(2, 7);
    const named = await namedBy(chain);
    expect(named).toContain(txKeys([cancel])[0]);
    expect(named).toHaveLength(10);
  });
});

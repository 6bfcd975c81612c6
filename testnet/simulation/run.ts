/** One run: agents trade through the real application, block by block; every invariant is asked in every block; followers must agree. */

import { encodeExtension } from "@keel/modules/oracle/extension";
import { firstViolation } from "@keel/node/app/invariants";
import { TestChain } from "@keel/node/app/testing/chain";
import { createVerifier } from "@keel/node/crypto/verifier";
import type { ApplicationStore } from "@keel/node/store/level/application-store";
import { MemoryDatabase } from "@keel/node/store/level/memory-database";
import { equalBytes } from "@keel/proto/bytes/compare";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { sha256 } from "@keel/proto/bytes/sha256";
import { Coverage } from "./coverage.ts";
import { Departures } from "./departures.ts";
import {
  answerDifference,
  answerHash,
  type ChainOptions,
  type Follower,
  firstDifference,
  fromExport,
  fromSnapshot,
  openStore,
  stateHash,
} from "./follower.ts";
import { appState } from "./genesis.ts";
import { halfOf, Lists } from "./lists.ts";
import { lossFault } from "./losses.ts";
import { createWeather, GENESIS_MS, type Weather } from "./prices.ts";
import { type Sent, Traffic } from "./traffic.ts";

export interface RunOptions {
  readonly seed: number;
  readonly blocks: number;
  readonly agents: number;
  readonly messagesPerBlock: number;
  /** Full scans every so many blocks, and at the end. */
  readonly scanEvery: number;
  /** Heights at which an export and a snapshot are taken and followed for so many blocks. */
  readonly branches: readonly { readonly height: number; readonly blocks: number }[];
  readonly onProgress?: (text: string) => void;
}

export interface RunResult {
  readonly coverage: Coverage;
  readonly height: number;
  readonly transactions: number;
  /** Of all answers and app hashes, in order: one seed, one history. */
  readonly historyHash: string;
  readonly appHash: string;
  readonly stateHash: string;
  readonly scans: number;
  readonly compared: { readonly export: number; readonly snapshot: number };
  /** Blocks whose proposal was executed and dropped before another was decided. */
  readonly dropped: number;
}

/** Height and reason; the seed repeats it. */
export class SimulationFailure extends Error {
  constructor(seed: number, height: number, reason: string) {
    super(`seed ${seed}, height ${height}: ${reason}`);
    this.name = "SimulationFailure";
  }
}

const DROPPED_EVERY = 7;
const COMPARED_EVERY = 100;

export async function simulate(options: RunOptions): Promise<RunResult> {
  const { seed, blocks, onProgress } = options;
  const weather = createWeather(seed + 1);
  const traffic = new Traffic(options.agents, seed);
  const lists = new Lists(seed + 2);
  const times: bigint[] = [BigInt(GENESIS_MS) * 1_000_000n];
  const verifier = createVerifier({ backend: "native", workers: 0 });
  const chainOptions: ChainOptions = {
    accounts: 0,
    extensionsFrom: 1,
    verifier,
    clock: (height) => times[height] ?? 0n,
    app: { queryHeights: 2, nowNs: () => weather.timeNs, pending: lists.pending },
  };
  const store = await openStore(new MemoryDatabase(), 1_000_000);
  const chain = await new TestChain({
    ...chainOptions,
    store,
    appState: appState(traffic.agents, traffic.authority),
  }).start();
  const coverage = new Coverage();
  const departures = new Departures();
  const followers: Follower[] = [];
  const compared = { export: 0, snapshot: 0 };
  let history: Uint8Array = new Uint8Array(32);
  let [scans, transactions, dropped] = [0, 0, 0];
  const fail = (reason: string): never => {
    throw new SimulationFailure(seed, chain.height, reason);
  };

  for (let height = 1; height <= blocks; height++) {
    times[height] = weather.next();
    const count = options.messagesPerBlock;
    const { must, sent, txs } = await offered(chain, traffic, coverage, count, { weather, lists });
    transactions += txs.length;
    if (height % DROPPED_EVERY === 0) {
      dropped++;
      // Another proposal of the same height was executed first and came to nothing.
      const other = chain.proposed(halfOf(txs, must), "other");
      if (!(await chain.app.processProposal(other)))
        fail("a proposal of half the block was refused");
    }
    const block = chain.proposed(txs);
    if (!(await chain.app.processProposal(block))) fail("the proposal was refused");
    const answer = await chain.decide(txs);
    history = sha256(Uint8Array.from([...history, ...answerHash(answer)]));
    coverage.block(sent, answer);
    const [fault] = chain.faults;
    if (fault !== undefined)
      fail(`fault in ${fault.where}: ${fault.error.stack ?? fault.error.message}`);
    const events = [...answer.txResults.flatMap((result) => result.events), ...answer.events];
    const unbalanced = lossFault(events);
    if (unbalanced !== null) fail(`a loss: ${unbalanced}`);
    const left = chain.app.look((keel, ctx) => departures.fault(events, { keel, ctx }));
    if (left !== null) fail(left);
    if (height % options.scanEvery === 0 || height === blocks) {
      scans++;
      scan(chain, fail);
    }
    chain.app.look((keel, ctx) => {
      coverage.markets(
        keel.derivatives.marketIds(ctx).flatMap((id) => keel.derivatives.terms(ctx, id) ?? []),
      );
    });
    for (const follower of followers) {
      await follow(follower, { chain, store, txs, answer, last: height === blocks }, fail);
      compared[follower.origin]++;
    }
    for (const branch of options.branches) {
      if (branch.height === height) {
        followers.push(await fromExport(chain, chainOptions));
        followers.push(await fromSnapshot(chain, store, chainOptions));
      }
      if (branch.height + branch.blocks === height) {
        const ends = followers.filter(({ fromHeight }) => fromHeight === branch.height);
        for (const one of ends) followers.splice(followers.indexOf(one), 1);
      }
    }
    if (height % 100 === 0) onProgress?.(progress(height, transactions, coverage));
  }
  await store.close();
  await verifier.close();
  return {
    coverage,
    height: chain.height,
    transactions,
    historyHash: bytesToHex(history),
    appHash: bytesToHex(store.appHash),
    stateHash: stateHash(store),
    scans,
    compared,
    dropped,
  };
}

/** Through the door of a mempool, and in the order a proposer gives them. The first transaction is the oracle's; `must`: so many after it validators named. */
async function offered(
  chain: TestChain,
  traffic: Traffic,
  coverage: Coverage,
  count: number,
  { lists, weather }: { readonly lists: Lists; readonly weather: Weather },
): Promise<{ txs: readonly Uint8Array[]; sent: Sent[]; must: number }> {
  if (chain.height === 0) return { txs: [], sent: [], must: 0 };
  const admitted: Sent[] = [];
  for (const one of traffic.next(chain.app, count)) {
    const checked = await chain.app.checkTx(one.bytes, "new");
    // A proposer may put in what the mempool of another refused; what cannot even be read has no place in a block.
    const again = one.operation === "the same transaction again";
    if (checked.code === 0 || again) admitted.push(one);
    else coverage.refusedAtTheDoor(one, checked);
  }
  const all = lists.offered(admitted);
  const named = await lists.named(chain, all);
  const commit = chain.lastCommit((index) =>
    weather.outage
      ? encodeExtension([], [], named)
      : encodeExtension(weather.reports(index), weather.surfaces(index), named),
  );
  const bytes = all.map((one) => one.bytes);
  const { must, txs } = lists.chosen(await chain.prepare(bytes, commit), named, all);
  const byBytes = new Map(all.map((one) => [one.bytes, one]));
  const sent = txs.slice(1).flatMap((one) => byBytes.get(one) ?? []);
  return { txs, sent, must };
}

function scan(chain: TestChain, fail: (reason: string) => never): void {
  const violation = chain.app.look(
    (keel, ctx) => firstViolation(ctx, keel.genesis) ?? firstViolation(ctx, keel.genesis, "full"),
  );
  if (violation !== null) fail(`${violation.name}: ${violation.detail}`);
}

interface Decided {
  readonly chain: TestChain;
  readonly store: ApplicationStore;
  readonly txs: readonly Uint8Array[];
  readonly answer: Awaited<ReturnType<TestChain["decide"]>>;
  readonly last: boolean;
}

async function follow(
  follower: Follower,
  decided: Decided,
  fail: (reason: string) => never,
): Promise<void> {
  const { chain, store, txs, answer, last } = decided;
  const { origin, fromHeight, chain: own } = follower;
  const where = `${origin} of height ${fromHeight}`;
  const there = await own.decide(txs);
  const difference = answerDifference(answer, there);
  if (difference !== null) fail(`${where}: ${difference}`);
  // An export begins new trees, whose shape tells their history; a snapshot is the very trees.
  if (origin === "snapshot" && !equalBytes(answer.appHash, there.appHash))
    fail(`${where}: another app hash`);
  const first = chain.height === fromHeight + 1;
  if (!first && !last && chain.height % COMPARED_EVERY !== 0) return;
  if (stateHash(store) !== stateHash(own.store))
    fail(`${where}: ${firstDifference(store, own.store) ?? "another state hash"}`);
}

function progress(height: number, transactions: number, coverage: Coverage): string {
  const { user, system } = process.cpuUsage();
  const trades = coverage.count("event", "trade") + coverage.count("event", "auction_fill");
  const settled = coverage.count("event", "position_settled");
  return `height ${height}: ${transactions} transactions, ${trades} fills, ${settled} positions settled, ${((user + system) / 1e6).toFixed(0)} s of processor time`;
}

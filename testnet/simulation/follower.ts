/** A second chain that begins in the middle of a run, from an export or from a snapshot, and must go on exactly as the first does. */

import { createHash } from "node:crypto";
import type { FinalizeBlockResponse } from "@keel/consensus/host/ports";
import { eventMessage, execTxResultMessage } from "@keel/consensus/wire/abci";
import { storeNames } from "@keel/node/app/app";
import { TestChain, type TestChainOptions } from "@keel/node/app/testing/chain";
import {
  type ApplicationStore,
  openApplicationStore,
} from "@keel/node/store/level/application-store";
import { MemoryDatabase } from "@keel/node/store/level/memory-database";
import { SnapshotRestore } from "@keel/node/store/snapshot-restore";
import type { CommitStore } from "@keel/node/store/types";
import { equalBytes } from "@keel/proto/bytes/compare";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { sha256 } from "@keel/proto/bytes/sha256";

export interface Follower {
  readonly origin: "export" | "snapshot";
  readonly fromHeight: number;
  readonly chain: TestChain;
}

export type ChainOptions = Omit<TestChainOptions, "store" | "appState" | "initialHeight">;

export function openStore(database: MemoryDatabase, interval: number): Promise<ApplicationStore> {
  return openApplicationStore(database, { stores: storeNames, snapshotIntervalHeights: interval });
}

/** A new chain whose genesis document is the export, through its JSON, and whose first block is the next. */
export async function fromExport(chain: TestChain, options: ChainOptions): Promise<Follower> {
  const text = JSON.stringify(chain.app.exportGenesis());
  const copy = new TestChain({
    ...options,
    appState: JSON.parse(text) as Record<string, unknown>,
    initialHeight: chain.height + 1,
  });
  await copy.start();
  return { origin: "export", fromHeight: chain.height, chain: copy };
}

/** A new node that fetched the snapshot chunk by chunk. */
export async function fromSnapshot(
  chain: TestChain,
  store: ApplicationStore,
  options: ChainOptions,
): Promise<Follower> {
  await store.snapshot();
  const snapshot = store.listSnapshots().find(({ height }) => height === chain.height);
  if (snapshot === undefined) throw new Error(`no snapshot of height ${chain.height}`);
  const database = new MemoryDatabase();
  const restored = await openStore(database, 1_000_000);
  const { appHash } = store;
  const restore = SnapshotRestore.begin({ database, store: restored, snapshot, appHash });
  if (restore === null) throw new Error("the snapshot was not taken");
  for (let index = 0; index < snapshot.chunks; index++) {
    const chunk = await store.loadSnapshotChunk(snapshot.height, snapshot.format, index);
    const answer = chunk === null ? "missing" : await restore.apply(index, chunk);
    if (answer !== "accept") throw new Error(`chunk ${index}: ${answer}`);
  }
  if (!equalBytes(restored.appHash, appHash)) throw new Error("restored to another app hash");
  return {
    origin: "snapshot",
    fromHeight: chain.height,
    chain: new TestChain({ ...options, store: restored }),
  };
}

/** SHA-256 over every key and value of every store, in order. */
export function stateHash(store: CommitStore): string {
  const hash = createHash("sha256");
  const size = new Uint8Array(8);
  const view = new DataView(size.buffer);
  for (const name of storeNames) {
    hash.update(`${name}\n`);
    for (const [key, value] of store.entries(name)) {
      view.setUint32(0, key.length);
      view.setUint32(4, value.length);
      hash.update(size).update(key).update(value);
    }
  }
  return hash.digest("hex");
}

/** The first key that is not the same in both, in words; null: none. */
export function firstDifference(one: CommitStore, other: CommitStore): string | null {
  const text = (bytes: Uint8Array | null | undefined): string =>
    bytes == null ? "nothing" : bytesToHex(bytes);
  for (const name of storeNames) {
    const left = new Map([...one.entries(name)].map(([key, value]) => [text(key), value]));
    const right = new Map([...other.entries(name)].map(([key, value]) => [text(key), value]));
    for (const key of [...new Set([...left.keys(), ...right.keys()])].sort()) {
      const [a, b] = [text(left.get(key)), text(right.get(key))];
      if (a !== b) return `store ${name}, key ${key}: ${a.slice(0, 400)}, there ${b.slice(0, 400)}`;
    }
  }
  return null;
}

/** Where two answers to one block differ, app hash aside; null: nowhere. */
export function answerDifference(
  one: FinalizeBlockResponse,
  other: FinalizeBlockResponse,
): string | null {
  const say = (value: unknown): string =>
    JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === "bigint"
        ? `${inner}`
        : inner instanceof Uint8Array
          ? bytesToHex(inner)
          : inner,
    );
  if (one.txResults.length !== other.txResults.length) return "another number of results";
  for (const [i, result] of one.txResults.entries()) {
    const there = other.txResults[i] as typeof result;
    if (equalBytes(execTxResultMessage.encode(result), execTxResultMessage.encode(there))) continue;
    return `transaction ${i}: ${say(result)}\nthere: ${say(there)}`;
  }
  if (one.events.length !== other.events.length)
    return `${one.events.length} events of the block, there ${other.events.length}`;
  for (const [i, event] of one.events.entries()) {
    const there = other.events[i] as typeof event;
    if (equalBytes(eventMessage.encode(event), eventMessage.encode(there))) continue;
    return `event ${i}: ${say(event)}\nthere: ${say(there)}`;
  }
  return null;
}

/** Of a block's answer, for the history of a run. */
export function answerHash({ txResults, events, appHash }: FinalizeBlockResponse): Uint8Array {
  const hash = createHash("sha256");
  for (const result of txResults) hash.update(execTxResultMessage.encode(result));
  for (const event of events) hash.update(eventMessage.encode(event));
  return sha256(hash.update(appHash).digest());
}

/** The thread of the reader: takes one call after another and answers each. */
import { parentPort, workerData } from "node:worker_threads";
import { openLevelDatabase } from "../store/level/level-database.ts";
import type { Database } from "../store/types.ts";
import { type MarketReader, openMarketReader } from "./reader.ts";
import type { PackedEntries, ReaderAnswer, ReaderCall, ReaderOptions } from "./thread.ts";
import { StreamRefusal } from "./topics.ts";

const { addressPrefix, directory, retention } = workerData as ReaderOptions;
let database: Database | null = null;
let reader: MarketReader | null = null;
let last: Promise<void> = Promise.resolve();

async function answer(call: ReaderCall): Promise<unknown> {
  if (call.kind === "open") {
    database = await openLevelDatabase(directory, "shared");
    reader = await openMarketReader({ database, retention, addressPrefix });
    return reader.history;
  }
  if (call.kind === "close") {
    await database?.close();
    return undefined;
  }
  if (reader === null) throw new Error("market data is not open");
  switch (call.kind) {
    case "load":
      return load(reader, call);
    case "begin":
      return reader.begin(call.height);
    case "block":
      return await reader.block(call);
    case "follow":
      return await reader.follow(call.topic, call.seed);
    case "unfollow":
      return reader.unfollow(call.key);
  }
}

function load(into: MarketReader, { bytes, lengths }: PackedEntries): void {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (let i = 0; i < lengths.length; i += 2) {
    const key = text.toString("latin1", at, (at += lengths[i] as number));
    into.load(key, bytes.subarray(at, (at += lengths[i + 1] as number)));
  }
}

async function answerOf(call: ReaderCall): Promise<ReaderAnswer> {
  try {
    return { kind: "done", value: await answer(call) };
  } catch (error) {
    const { message, stack } = error as Error;
    if (error instanceof StreamRefusal) return { kind: "refused", code: error.code, message };
    return { kind: "failed", reason: stack ?? message };
  }
}

parentPort?.on("message", (call: ReaderCall) => {
  last = last.then(async () => {
    parentPort?.postMessage(await answerOf(call));
    if (call.kind === "close") parentPort?.close();
  });
});

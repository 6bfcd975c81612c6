/** Who writes the index: this thread, or one of its own that shares the open database. */
import { Worker } from "node:worker_threads";
import type { Database } from "../types.ts";
import { type BlockToIndex, indexBlock } from "./index-writes.ts";

export interface IndexWriter {
  /** Blocks that may be on their way before whoever commits them must wait. */
  readonly heightsBehindMax: number;
  /** One after another, in the order asked. A rejection is a failed disk. */
  write(block: BlockToIndex): Promise<void>;
  /** After the last write. */
  close(): Promise<void>;
}

export function inlineWriter(database: Database): IndexWriter {
  let last: Promise<void> = Promise.resolve();
  return {
    heightsBehindMax: 0,
    write(block) {
      last = last.catch(() => undefined).then(() => indexBlock(database, block));
      return last;
    },
    close: async () => undefined,
  };
}

/** Some seconds of a busy chain: a pause of the disk does not stop agreement, and a slow one does not fill the memory. */
const THREAD_HEIGHTS_BEHIND_MAX = 8;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** From the thread: null is a block written, a text the reason why one was not. */
export type IndexAnswer = string | null;

const file = import.meta.url.endsWith(".ts") ? "./index-worker.ts" : "./index-worker.js";

/** `directory` is open in this thread too. */
export function threadWriter(directory: string): IndexWriter {
  const worker = new Worker(new URL(file, import.meta.url), { workerData: { directory } });
  const waiting: Waiting[] = [];
  let ended: Error | null = null;
  const end = (error: Error): void => {
    ended ??= new Error(`the thread that writes the search index ended: ${error.message}`);
    for (const { reject } of waiting.splice(0)) reject(ended);
  };
  worker.on("message", (answer: IndexAnswer) => {
    const one = waiting.shift();
    if (answer === null) one?.resolve();
    else one?.reject(new Error(answer));
  });
  worker.on("error", end);
  const exited = new Promise<void>((resolve) => {
    worker.on("exit", (code) => {
      end(new Error(`exit code ${code}`));
      resolve();
    });
  });
  // A program that forgets to close the index may still come to its end.
  worker.unref();
  return {
    heightsBehindMax: THREAD_HEIGHTS_BEHIND_MAX,
    write(block) {
      if (ended !== null) return Promise.reject(ended);
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        const { txs, lengths } = block;
        worker.postMessage(block, [txs.buffer as ArrayBuffer, lengths.buffer as ArrayBuffer]);
      });
    },
    async close() {
      worker.ref();
      worker.postMessage(null);
      await exited;
    },
  };
}

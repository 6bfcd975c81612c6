/** A worker thread that judges packed batches of signatures. */
import { parentPort, workerData } from "node:worker_threads";
import { type CryptoBackend, loadBackend } from "./backend.ts";
import { judgeBatch } from "./batch.ts";

const backend = loadBackend((workerData as { backend: CryptoBackend }).backend);

parentPort?.on("message", (batch: Uint8Array) => {
  parentPort?.postMessage(judgeBatch(batch, backend));
});

/** Transactions in order of arrival; no admission, no gossip. */
import { bytesToLatin1 } from "@keel/proto/bytes/compare";
import { txBytesInBlock } from "../../wire/block.ts";
import type { Mempool } from "../ports.ts";

export interface ToyMempool extends Mempool {
  add(tx: Uint8Array): void;
}

export function createToyMempool(): ToyMempool {
  const pool = new Map<string, Uint8Array>();
  let waiting: (() => void)[] = [];
  return {
    add(tx) {
      pool.set(bytesToLatin1(tx), tx);
      const callbacks = waiting;
      waiting = [];
      for (const callback of callbacks) callback();
    },
    reap(maxBytes) {
      const txs: Uint8Array[] = [];
      let room = maxBytes;
      for (const tx of pool.values()) {
        room -= txBytesInBlock(tx.length);
        if (room < 0) break;
        txs.push(tx);
      }
      return txs;
    },
    size: () => pool.size,
    onAvailable(callback) {
      if (pool.size > 0) callback();
      else waiting.push(callback);
    },
    async update(_height, txs) {
      for (const tx of txs) pool.delete(bytesToLatin1(tx));
    },
  };
}

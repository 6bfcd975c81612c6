/** The latest block that is known: its height, and its time, which is the chain's. */
import type { Comet38Client } from "@cosmjs/tendermint-rpc";

export interface LatestBlock {
  readonly height: number;
  readonly timeNs: bigint;
}

type SyncInfo = Awaited<ReturnType<Comet38Client["status"]>>["syncInfo"];

export class ChainClock {
  readonly #comet: Comet38Client;
  #latest: LatestBlock;
  #readAt: number;
  #reading: Promise<LatestBlock> | undefined;

  constructor(comet: Comet38Client, first: SyncInfo) {
    this.#comet = comet;
    this.#latest = latestOf(first);
    this.#readAt = Date.now();
  }

  /** At most `maxAgeMs` (of this machine's clock) old. */
  async latest(maxAgeMs: number): Promise<LatestBlock> {
    if (Date.now() - this.#readAt < maxAgeMs) return this.#latest;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return await this.#reading;
  }

  async #read(): Promise<LatestBlock> {
    const readAt = Date.now();
    const read = latestOf((await this.#comet.status()).syncInfo);
    // Another endpoint may be a few blocks behind; the chain never goes back.
    if (read.height >= this.#latest.height) this.#latest = read;
    this.#readAt = readAt;
    return this.#latest;
  }
}

function latestOf({ latestBlockHeight, latestBlockTime }: SyncInfo): LatestBlock {
  return { height: latestBlockHeight, timeNs: nanosOf(latestBlockTime) };
}

function nanosOf(time: { getTime(): number; readonly nanoseconds?: number }): bigint {
  return BigInt(time.getTime()) * 1_000_000n + BigInt(time.nanoseconds ?? 0);
}

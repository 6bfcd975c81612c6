/** Follows the chain block by block while it runs: events into the tally, intervals, progress. */
import { parseTimestamp, timestampToMs } from "@keel/proto/bytes/timestamp";
import type { BlockResults } from "../network/rpc.ts";
import { blockResults, headerAt, rpcCall } from "../network/rpc.ts";
import type { Tally } from "./tally.ts";
import { addBlock, emptyTally } from "./tally.ts";

const POLL_MS = 200;

export interface SeenBlock {
  readonly height: number;
  /** Chain time. */
  readonly timeMs: number;
  readonly txs: number;
}

export class ChainLog {
  readonly tally: Tally = emptyTally();
  readonly blocks: SeenBlock[] = [];
  readonly #rpcs: readonly string[];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  #turn: Promise<void> = Promise.resolve();

  /** `rpcs`: asked in this order, the next one when one is away. */
  constructor(rpcs: readonly string[]) {
    this.#rpcs = rpcs;
    const turn = async (): Promise<void> => {
      try {
        await this.#readTo(await this.#height());
      } catch {
        // No node answers; the next turn asks again, and `finish` says so if it lasts.
      }
      if (!this.#stopped) {
        this.#timer = setTimeout(() => {
          this.#turn = turn();
        }, POLL_MS);
      }
    };
    this.#turn = turn();
  }

  get height(): number {
    return this.blocks.at(-1)?.height ?? 0;
  }

  /** Follows no further; answers the last height read. */
  async stop(): Promise<number> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#turn;
    return this.height;
  }

  /** After `stop`: reads on to exactly `height`, which must not lie below what has been read. */
  async finish(height: number): Promise<void> {
    if (this.height > height)
      throw new Error(`block ${this.height} is counted already, expected none above ${height}`);
    await this.#readTo(height);
  }

  async #readTo(height: number): Promise<void> {
    for (let next = this.height + 1; next <= height; next++) {
      const [results, timeMs] = await this.#ask(async (rpc): Promise<[BlockResults, number]> => {
        const [block, header] = await Promise.all([blockResults(rpc, next), headerAt(rpc, next)]);
        return [block, timestampToMs(parseTimestamp(header.time))];
      });
      addBlock(this.tally, results);
      this.blocks.push({ height: next, timeMs, txs: Math.max(results.codes.length - 1, 0) });
    }
  }

  #height(): Promise<number> {
    return this.#ask(async (rpc) => {
      const status = await rpcCall<{ sync_info: { latest_block_height: string } }>(rpc, "status");
      return Number(status.sync_info.latest_block_height);
    });
  }

  async #ask<T>(call: (rpc: string) => Promise<T>): Promise<T> {
    let last: unknown;
    for (const rpc of this.#rpcs) {
      try {
        return await call(rpc);
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }
}

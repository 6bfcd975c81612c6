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
  #failed: Error | null = null;
  #turn: Promise<void> = Promise.resolve();

  /** `rpcs`: asked in this order, the next one when one is away. */
  constructor(rpcs: readonly string[]) {
    this.#rpcs = rpcs;
    const turn = async (): Promise<void> => {
      try {
        await this.readTo(await this.#height());
      } catch (error) {
        this.#failed = error as Error;
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

  /** Reads the rest up to `height`. Throws what the last attempt to read failed with. */
  async finish(height: number): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#turn;
    this.#failed = null;
    await this.readTo(height);
    if (this.height < height)
      throw this.#failed ?? new Error(`block ${this.height + 1} cannot be read`);
  }

  async readTo(height: number): Promise<void> {
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

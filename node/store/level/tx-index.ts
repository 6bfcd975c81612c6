/**
 * Index of transactions by hash, place and event, and of blocks by event. It is written behind the commit, unsynced and on a thread of its
 * own: what a crash loses is caught up at start from the stored blocks and responses. Questions wait for all that was committed before.
 */
import type {
  BlockStore,
  CommittedBlock,
  FinalizeBlockResponse,
  StateStore,
} from "@keel/consensus/host/ports";
import {
  type Event,
  type ExecTxResult,
  execTxResultMessage,
  finalizeBlockResponseMessage,
} from "@keel/consensus/wire/abci";
import type { Block } from "@keel/consensus/wire/types";
import { hexToBytes } from "@keel/proto/bytes/hex";
import type { Query } from "../query-grammar.ts";
import type { Database } from "../types.ts";
import { eventPrefixes, type Place } from "./event-keys.ts";
import { type HeightRange, searchEvents } from "./event-search.ts";
import { type IndexWriter, inlineWriter } from "./index-writer.ts";
import { heightRecordKey, packTxs, placeOf, recordAt, splitTx } from "./index-writes.ts";
import { heightKey, heightOfKey, indexOfKey, prefixes } from "./keys.ts";
import { openRecord } from "./records.ts";

export interface IndexedTx extends Place {
  readonly hash: Uint8Array;
  readonly tx: Uint8Array;
  readonly result: ExecTxResult;
}

/** `writer` writes to the same database; the index closes it. Default: in this thread. */
export async function openTxIndex(
  database: Database,
  writer: IndexWriter = inlineWriter(database),
): Promise<TxIndex> {
  const record = await database.get(heightRecordKey);
  const height = record === null ? 0 : openRecord("height of the index", record).varint();
  return new TxIndex(database, writer, height);
}

export class TxIndex {
  readonly #database: Database;
  readonly #writer: IndexWriter;
  /** Up to here heights are handed to the writer. */
  #height: number;
  /** Writes not finished yet, oldest first; the writer does one after another. */
  readonly #writing: Promise<void>[] = [];
  /** The disk's refusal: nothing can be indexed after it. */
  #failure: unknown = null;

  constructor(database: Database, writer: IndexWriter, height: number) {
    this.#database = database;
    this.#writer = writer;
    this.#height = height;
  }

  /** Everything up to this height is indexed, or on its way; 0 when nothing is. */
  get height(): number {
    return this.#height;
  }

  /**
   * Takes a committed block; resolves when few enough are on their way. Heights taken already are skipped; a height left out in between
   * is an error, and so is a write that failed since the last call.
   */
  async index({ block, result }: Pick<CommittedBlock, "block" | "result">): Promise<void> {
    const { height } = block.header;
    if (this.#failure !== null) throw this.#failure;
    if (height <= this.#height) return;
    if (this.#height !== 0 && height !== this.#height + 1)
      throw new Error(`index: expected block ${this.#height + 1}, got ${height}`);
    this.#height = height;
    this.#hand(block, result);
    while (this.#writing.length > this.#writer.heightsBehindMax) await this.#writing[0];
    if (this.#failure !== null) throw this.#failure;
  }

  #hand(block: Block, result: FinalizeBlockResponse): void {
    const writing = this.#writer
      .write({
        height: block.header.height,
        ...packTxs(block.txs),
        response: finalizeBlockResponseMessage.encode(result),
      })
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => void this.#writing.shift());
    this.#writing.push(writing);
  }

  /** Resolves when all blocks taken so far can be found. */
  async settled(): Promise<void> {
    await this.#writing.at(-1);
    if (this.#failure !== null) throw this.#failure;
  }

  /** Finishes what was taken; the database stays open. */
  async close(): Promise<void> {
    await this.#writing.at(-1);
    await this.#writer.close();
  }

  /** Indexes what is stored and not indexed yet; call before the first `index`. Blocks pruned meanwhile are passed over. */
  async catchUp(blocks: BlockStore, states: StateStore): Promise<void> {
    if (blocks.base() > this.#height + 1) this.#height = blocks.base() - 1;
    while (this.#height < blocks.height()) {
      const height = this.#height + 1;
      const stored = await blocks.load(height);
      const result = await states.loadFinalizeBlockResponse(height);
      // The last stored block may not be executed yet; older responses may be pruned earlier than their blocks.
      if (stored === null || (result === null && height === blocks.height())) return;
      if (result === null) this.#height = height;
      else await this.index({ block: stored.block, result });
    }
  }

  /** The transaction of this hash, or null. Of several inclusions the newest success counts, else the newest. */
  async get(hash: Uint8Array): Promise<IndexedTx | null> {
    await this.settled();
    const place = await placeOf(this.#database, hash);
    return place === null ? null : this.at(place);
  }

  /** The transaction at a place, or null. */
  async at(place: Place): Promise<IndexedTx | null> {
    await this.settled();
    const reader = await recordAt(this.#database, place);
    if (reader === null) return null;
    const { hash, tx, encodedResult } = splitTx(reader);
    const { height, index } = place;
    return { hash, height, index, tx, result: execTxResultMessage.decode(encodedResult) };
  }

  /**
   * Places of the transactions that meet `query`, ascending by height and index; `tx.hash = '…'` decides alone. Throws `QueryError`
   * when too broad.
   */
  async searchTxs(query: Query): Promise<readonly Place[]> {
    await this.settled();
    const byHash = query.conditions.find(
      ({ tag, operator }) => tag === "tx.hash" && operator === "=",
    );
    if (byHash?.operand?.kind === "string") {
      const found = /^[0-9a-fA-F]{64}$/.test(byHash.operand.text)
        ? await this.get(hexToBytes(byHash.operand.text))
        : null;
      return found === null ? [] : [{ height: found.height, index: found.index }];
    }
    return searchEvents(
      this.#database,
      {
        prefix: eventPrefixes.tx,
        heightTag: "tx.height",
        placesIn: (heights) => this.#places(prefixes.txByPlace, heights),
        eventsAt: async (place) => (await this.at(place))?.result.events ?? null,
      },
      query,
    );
  }

  /** Heights of the blocks whose own events meet `query`, ascending. Throws `QueryError` when too broad. */
  async searchBlocks(
    query: Query,
    states: Pick<StateStore, "loadFinalizeBlockResponse">,
  ): Promise<readonly number[]> {
    await this.settled();
    const eventsAt = async ({ height }: Place): Promise<readonly Event[] | null> =>
      (await states.loadFinalizeBlockResponse(height))?.events ?? null;
    const places = await searchEvents(
      this.#database,
      {
        prefix: eventPrefixes.block,
        heightTag: "block.height",
        placesIn: (heights) => this.#places(prefixes.blockIndexed, heights),
        eventsAt,
      },
      query,
    );
    return places.map(({ height }) => height);
  }

  async *#places(
    prefix: typeof prefixes.txByPlace | typeof prefixes.blockIndexed,
    { low, high }: HeightRange,
  ): AsyncGenerator<Place> {
    const range = { from: heightKey(prefix, low), to: heightKey(prefix, high + 1) };
    for await (const [key] of this.#database.range(range)) {
      yield {
        height: heightOfKey(key),
        index: prefix === prefixes.txByPlace ? indexOfKey(key) : 0,
      };
    }
  }
}

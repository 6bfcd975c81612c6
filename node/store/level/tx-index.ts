/**
 * Index of transactions by hash, place and event, and of blocks by event. It is written after the block is committed and not
 * synced: what a crash loses is caught up at start from the stored blocks and responses.
 */
import type {
  BlockStore,
  CommittedBlock,
  FinalizeBlockResponse,
  StateStore,
} from "@keel/consensus/host/ports";
import { type Event, type ExecTxResult, execTxResultMessage } from "@keel/consensus/wire/abci";
import { txHash } from "@keel/consensus/wire/block";
import type { Block } from "@keel/consensus/wire/types";
import { bytesToHex, hexToBytes } from "@keel/proto/bytes/hex";
import type { Query } from "../query-grammar.ts";
import type { Database, Write } from "../types.ts";
import { EventEntries, eventPrefixes, type Place } from "./event-keys.ts";
import { type HeightRange, searchEvents } from "./event-search.ts";
import {
  bytesKey,
  heightKey,
  heightOfKey,
  indexOfKey,
  placeKey,
  prefixes,
  singleKey,
} from "./keys.ts";
import { openRecord, sealRecord } from "./records.ts";

export interface IndexedTx extends Place {
  readonly hash: Uint8Array;
  readonly tx: Uint8Array;
  readonly result: ExecTxResult;
}

const heightRecordKey: Uint8Array = singleKey(prefixes.indexHeight);

export async function openTxIndex(database: Database): Promise<TxIndex> {
  const record = await database.get(heightRecordKey);
  return new TxIndex(
    database,
    record === null ? 0 : openRecord("height of the index", record).varint(),
  );
}

export class TxIndex {
  readonly #database: Database;
  #height: number;
  /** Writers one after another: heights must be indexed in order. */
  #writing: Promise<void> = Promise.resolve();

  constructor(database: Database, height: number) {
    this.#database = database;
    this.#height = height;
  }

  /** Everything up to this height is indexed; 0 when nothing is. */
  get height(): number {
    return this.#height;
  }

  /** Heights indexed already are skipped; a height left out in between is an error. */
  index({ block, result }: Pick<CommittedBlock, "block" | "result">): Promise<void> {
    const turn = this.#writing.catch(() => undefined).then(() => this.#indexBlock(block, result));
    this.#writing = turn;
    return turn;
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
    const record = await this.#database.get(bytesKey(prefixes.txByHash, hash));
    if (record === null) return null;
    const reader = openRecord("place of a transaction", record);
    return this.at({ height: reader.varint(), index: reader.varint() });
  }

  /** The transaction at a place, or null. */
  async at({ height, index }: Place): Promise<IndexedTx | null> {
    const record = await this.#database.get(placeKey(prefixes.txByPlace, height, index));
    return record === null ? null : decodeTx({ height, index }, record);
  }

  /**
   * Places of the transactions that meet `query`, ascending by height and index; `tx.hash = '…'` decides alone. Throws `QueryError`
   * when too broad.
   */
  async searchTxs(query: Query): Promise<readonly Place[]> {
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

  async #indexBlock(block: Block, result: FinalizeBlockResponse): Promise<void> {
    const { height } = block.header;
    if (height <= this.#height) return;
    if (this.#height !== 0 && height !== this.#height + 1) {
      throw new Error(`index: expected block ${this.#height + 1}, got ${height}`);
    }
    const batch: Write[] = [
      { key: heightKey(prefixes.blockIndexed, height), value: nothing },
      { key: heightRecordKey, value: sealRecord((writer) => writer.varint(height)) },
    ];
    const ofBlock = new EventEntries();
    ofBlock.add(result.events, 0);
    for (const write of ofBlock.writes(eventPrefixes.block, height)) batch.push(write);
    const ofTxs = new EventEntries();
    const succeeded = new Set<string>();
    for (const [index, tx] of block.txs.entries()) {
      const txResult = result.txResults[index];
      if (txResult === undefined)
        throw new Error(`block ${height}: no result for transaction ${index}`);
      const indexed = { hash: txHash(tx), height, index, tx, result: txResult };
      batch.push({ key: placeKey(prefixes.txByPlace, height, index), value: encodeTx(indexed) });
      ofTxs.add(txResult.events, index);
      // The same bytes may be included again and fail (a replay refused by its sequence): a success stays what the hash finds.
      const name = bytesToHex(indexed.hash);
      if (txResult.code === 0) succeeded.add(name);
      else if (succeeded.has(name) || (await this.get(indexed.hash))?.result.code === 0) continue;
      batch.push({ key: bytesKey(prefixes.txByHash, indexed.hash), value: encodePlace(indexed) });
    }
    for (const write of ofTxs.writes(eventPrefixes.tx, height)) batch.push(write);
    await this.#database.write(batch, "buffered");
    this.#height = height;
  }
}

const nothing: Uint8Array = new Uint8Array();

function encodePlace({ height, index }: Place): Uint8Array {
  return sealRecord((writer) => {
    writer.varint(height);
    writer.varint(index);
  }, 16);
}

function encodeTx({ hash, tx, result }: IndexedTx): Uint8Array {
  const resultBytes = execTxResultMessage.encode(result);
  return sealRecord(
    (writer) => {
      writer.raw(hash);
      writer.varint(tx.length);
      writer.raw(tx);
      writer.raw(resultBytes);
    },
    tx.length + resultBytes.length + 64,
  );
}

function decodeTx({ height, index }: Place, record: Uint8Array): IndexedTx {
  const reader = openRecord(`transaction ${index} of block ${height}`, record);
  const hash = reader.bytes(32);
  const tx = reader.lengthPrefixed();
  return { hash, height, index, tx, result: execTxResultMessage.decode(reader.rest()) };
}

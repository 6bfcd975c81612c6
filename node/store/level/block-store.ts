/** Blocks, the commits inside them and the commits this node saw, by height: the consensus host's `BlockStore` in `chain.db`. */
import type { BlockStore, StoredBlock } from "@keel/consensus/host/ports";
import { decodeBlock } from "@keel/consensus/wire/block";
import { blockIdMessage } from "@keel/consensus/wire/block-id";
import { commitMessage, extendedCommitMessage } from "@keel/consensus/wire/commit";
import type { Commit, ExtendedCommit } from "@keel/consensus/wire/types";
import { blocksCachedMax, pruneBatchBlocks } from "../limits.ts";
import { type Database, StoreCorrupt, type Write } from "../types.ts";
import { bytesKey, heightKey, heightOfKey, prefixes, singleKey } from "./keys.ts";
import { openBytes, openRecord, sealBytes, sealRecord } from "./records.ts";

const rangeKey: Uint8Array = singleKey(prefixes.blockRange);

export async function openBlockStore(database: Database): Promise<LevelBlockStore> {
  const record = await database.get(rangeKey);
  if (record === null) return new LevelBlockStore(database, 0, 0);
  const reader = openRecord("range of blocks", record);
  return new LevelBlockStore(database, reader.varint(), reader.varint());
}

export class LevelBlockStore implements BlockStore {
  readonly #database: Database;
  /** Lowest and highest block; 0 and 0 when there is none. */
  #base: number;
  #height: number;
  /** The newest blocks loaded or saved: peers that lag ask for the same few again and again. */
  readonly #cache = new Map<number, StoredBlock>();

  constructor(database: Database, base: number, height: number) {
    this.#database = database;
    this.#base = base;
    this.#height = height;
  }

  base(): number {
    return this.#base;
  }

  height(): number {
    return this.#height;
  }

  /** The first block may have any height, each further one follows. */
  async save(stored: StoredBlock, seenCommit: ExtendedCommit): Promise<void> {
    const { block, bytes, blockId } = stored;
    const { height } = block.header;
    if (this.#height !== 0 && height !== this.#height + 1) {
      throw new Error(`expected block ${this.#height + 1}, got ${height}`);
    }
    if (seenCommit.height !== height) {
      throw new Error(`expected the commit of block ${height}, got that of ${seenCommit.height}`);
    }
    const base = this.#base === 0 ? height : this.#base;
    const batch: Write[] = [
      { key: heightKey(prefixes.block, height), value: encodeStored(stored) },
      {
        key: bytesKey(prefixes.blockHash, blockId.hash),
        value: sealRecord((w) => w.varint(height)),
      },
      { key: heightKey(prefixes.seenCommit, height), value: encodeSeenCommit(seenCommit) },
      { key: rangeKey, value: encodeRange(base, height) },
    ];
    if (block.lastCommit.height > 0) {
      const value = sealBytes(commitMessage.encode(block.lastCommit));
      batch.push({ key: heightKey(prefixes.blockCommit, block.lastCommit.height), value });
    }
    await this.#database.write(batch, "synced");
    this.#base = base;
    this.#height = height;
    this.#remember({ block, bytes, blockId });
  }

  async load(height: number): Promise<StoredBlock | null> {
    if (!this.#has(height)) return null;
    const cached = this.#cache.get(height);
    if (cached !== undefined) return cached;
    const record = await this.#database.get(heightKey(prefixes.block, height));
    if (record === null) {
      // Pruned while we were reading, or lost.
      if (!this.#has(height)) return null;
      throw new StoreCorrupt(`block ${height}: missing`);
    }
    const stored = decodeStored(height, record);
    this.#remember(stored);
    return stored;
  }

  async loadByHash(hash: Uint8Array): Promise<StoredBlock | null> {
    const record = await this.#database.get(bytesKey(prefixes.blockHash, hash));
    return record === null
      ? null
      : this.load(openRecord("height of a block hash", record).varint());
  }

  async loadCommit(height: number): Promise<Commit | null> {
    if (height < this.#base || height >= this.#height) return null;
    const record = await this.#database.get(heightKey(prefixes.blockCommit, height));
    return record === null
      ? null
      : commitMessage.decode(openBytes(`commit of block ${height}`, record));
  }

  async loadSeenCommit(height: number): Promise<ExtendedCommit | null> {
    const record = await this.#database.get(heightKey(prefixes.seenCommit, height));
    return record === null
      ? null
      : extendedCommitMessage.decode(openBytes(`seen commit of block ${height}`, record));
  }

  /** After a state sync there is a commit to go on from but no block below it. */
  async saveSeenCommit(seenCommit: ExtendedCommit): Promise<void> {
    const key = heightKey(prefixes.seenCommit, seenCommit.height);
    await this.#database.write([{ key, value: encodeSeenCommit(seenCommit) }], "synced");
  }

  async prune(retainHeight: number): Promise<number> {
    if (retainHeight > this.#height) {
      throw new Error(`expected to retain from block ${this.#height} at most, got ${retainHeight}`);
    }
    const pruned = retainHeight - this.#base;
    if (pruned <= 0) return 0;
    await this.#database.write(
      [{ key: rangeKey, value: encodeRange(retainHeight, this.#height) }],
      "synced",
    );
    this.#base = retainHeight;
    for (const height of this.#cache.keys()) if (height < retainHeight) this.#cache.delete(height);
    // From the very bottom, not from the old base: a crash in an earlier pruning may have left some below it.
    const range = {
      from: heightKey(prefixes.block, 0),
      to: heightKey(prefixes.block, retainHeight),
      limit: pruneBatchBlocks,
    };
    for (;;) {
      const batch: Write[] = [];
      for await (const [key, record] of this.#database.range(range)) {
        const height = heightOfKey(key);
        const { blockId } = decodeStored(height, record);
        batch.push(
          { key, value: null },
          { key: bytesKey(prefixes.blockHash, blockId.hash), value: null },
          { key: heightKey(prefixes.blockCommit, height), value: null },
          { key: heightKey(prefixes.seenCommit, height), value: null },
        );
      }
      if (batch.length === 0) return pruned;
      await this.#database.write(batch, "buffered");
    }
  }

  #has(height: number): boolean {
    return height > 0 && height >= this.#base && height <= this.#height;
  }

  #remember(stored: StoredBlock): void {
    this.#cache.set(stored.block.header.height, stored);
    for (const height of this.#cache.keys()) {
      if (this.#cache.size <= blocksCachedMax) return;
      this.#cache.delete(height);
    }
  }
}

/** Block id (length-prefixed), then the block's own bytes to the end. */
function encodeStored({ blockId, bytes }: StoredBlock): Uint8Array {
  const id = blockIdMessage.encode(blockId);
  return sealRecord((writer) => {
    writer.varint(id.length);
    writer.raw(id);
    writer.raw(bytes);
  }, bytes.length + 128);
}

function decodeStored(height: number, record: Uint8Array): StoredBlock {
  const reader = openRecord(`block ${height}`, record);
  const blockId = blockIdMessage.decode(reader.lengthPrefixed());
  const bytes = reader.rest();
  return { block: decodeBlock(bytes), bytes, blockId };
}

function encodeSeenCommit(seenCommit: ExtendedCommit): Uint8Array {
  return sealBytes(extendedCommitMessage.encode(seenCommit));
}

function encodeRange(base: number, height: number): Uint8Array {
  return sealRecord((writer) => {
    writer.varint(base);
    writer.varint(height);
  });
}

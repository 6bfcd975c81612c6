/**
 * A version of all stores as a stream of chunks, format 1: per store its tree's nodes in post-order with their versions. Keys
 * and values alone cannot rebuild an IAVL root; inner keys, heights, sizes and hashes follow from the rest and are left out.
 *
 * Record: 1 name (begin store) | 2 version key value (leaf) | 3 version (inner: takes the last two) | 4 (end store).
 * Integers are unsigned varints, names, keys and values length-prefixed. A chunk holds whole records.
 */
import { Writer } from "@keel/consensus/wire/writer";
import { hashTrees } from "./iavl/hash.ts";
import { createInner, createLeaf, type Node } from "./iavl/node.ts";
import type { Root } from "./iavl/tree.ts";
import { postOrder } from "./iavl/walk.ts";
import { RecordReader } from "./level/records.ts";
import { keyBytesMax, snapshotChunkBytes, snapshotChunkBytesMax, valueBytesMax } from "./limits.ts";
import type { StoreRoots } from "./multistore.ts";

export const snapshotFormat = 1;

const beginStore = 1;
const leafNode = 2;
const innerNode = 3;
const endStore = 4;

/** Chunks of at most about `chunkBytes`; at least one. */
export function* encodeSnapshot(
  roots: StoreRoots,
  chunkBytes: number = snapshotChunkBytes,
): Generator<Uint8Array> {
  let writer = new Writer(chunkBytes * 2);
  let size = 0;
  for (const [store, root] of roots) {
    writer.byte(beginStore);
    writeText(writer, store);
    for (const node of postOrder(root)) {
      size += writeNode(writer, node);
      if (size < chunkBytes) continue;
      yield writer.finish();
      writer = new Writer(chunkBytes * 2);
      size = 0;
    }
    writer.byte(endStore);
  }
  yield writer.finish();
}

/** Returns roughly the bytes written. */
function writeNode(writer: Writer, node: Node): number {
  writer.byte(node.height === 0 ? leafNode : innerNode);
  writer.varint(node.version);
  if (node.value === null) return 4;
  writeText(writer, node.key);
  writeText(writer, node.value);
  return 8 + node.key.length + node.value.length;
}

function writeText(writer: Writer, text: string): void {
  writer.varint(text.length);
  writer.raw(Buffer.from(text, "latin1"));
}

interface Subtree {
  readonly node: Node;
  /** Smallest and largest key below. */
  readonly low: string;
  readonly high: string;
}

/**
 * Rebuilds trees from chunks in order. Chunks may come from strangers: shape, order, balance and sizes are checked as they arrive, and
 * the app hash of the result must be compared by the caller. Throws on the first thing wrong.
 */
export class SnapshotDecoder {
  readonly #roots = new Map<string, Root>();
  readonly #expected: readonly string[];
  readonly #height: number;
  #open: string | null = null;
  #stack: Subtree[] = [];

  /** `stores` in ascending order, as the snapshot must have them. */
  constructor(stores: readonly string[], height: number) {
    this.#expected = stores;
    this.#height = height;
  }

  add(chunk: Uint8Array): void {
    if (chunk.length > snapshotChunkBytesMax) {
      throw this.#wrong(
        `expected a chunk of at most ${snapshotChunkBytesMax} bytes, got ${chunk.length}`,
      );
    }
    const reader = new RecordReader(`snapshot of height ${this.#height}`, chunk);
    while (!reader.done) this.#record(reader, reader.byte());
    // Chunk by chunk, so that the last one does not stop the node for the hashing of the whole.
    hashTrees([...this.#stack.map(({ node }) => node), ...this.#roots.values()]);
  }

  /** All stores, hashed. */
  finish(): StoreRoots {
    if (this.#open !== null || this.#roots.size !== this.#expected.length) {
      throw this.#wrong(`expected ${this.#expected.length} whole stores, got ${this.#roots.size}`);
    }
    return this.#roots;
  }

  #record(reader: RecordReader, tag: number): void {
    if (tag === beginStore) {
      const store = reader.text();
      const expected = this.#expected[this.#roots.size];
      if (this.#open !== null || store !== expected)
        throw this.#wrong(`expected store ${expected}, got ${store}`);
      this.#open = store;
      return;
    }
    if (this.#open === null) throw this.#wrong("expected the beginning of a store");
    if (tag === leafNode) this.#leaf(reader);
    else if (tag === innerNode) this.#inner(reader);
    else if (tag === endStore) this.#end(this.#open);
    else throw this.#wrong(`unknown record ${tag}`);
  }

  #leaf(reader: RecordReader): void {
    const version = this.#version(reader);
    const key = reader.text();
    const value = reader.text();
    if (key.length === 0 || key.length > keyBytesMax || value.length > valueBytesMax) {
      throw this.#wrong("key or value of a forbidden length");
    }
    const before = this.#stack[this.#stack.length - 1];
    if (before !== undefined && before.high >= key) throw this.#wrong("keys out of order");
    const node = createLeaf(key, value, version);
    this.#stack.push({ node, low: key, high: key });
    // A balanced tree of n leaves never has more than about 1.44 log2(n) subtrees waiting.
    if (this.#stack.length > 64) throw this.#wrong("unbalanced tree");
  }

  #inner(reader: RecordReader): void {
    const version = this.#version(reader);
    const right = this.#stack.pop();
    const left = this.#stack.pop();
    if (left === undefined || right === undefined) throw this.#wrong("inner node without children");
    if (Math.abs(left.node.height - right.node.height) > 1) throw this.#wrong("unbalanced tree");
    const node = createInner(right.low, left.node, right.node, version);
    this.#stack.push({ node, low: left.low, high: right.high });
  }

  #end(store: string): void {
    if (this.#stack.length > 1)
      throw this.#wrong(`store ${store} ends with ${this.#stack.length} trees`);
    this.#roots.set(store, this.#stack.pop()?.node ?? null);
    this.#open = null;
  }

  #version(reader: RecordReader): number {
    const version = reader.varint();
    if (version < 1 || version > this.#height) throw this.#wrong(`node of version ${version}`);
    return version;
  }

  #wrong(what: string): Error {
    return new Error(`snapshot of height ${this.#height}: ${what}`);
  }
}

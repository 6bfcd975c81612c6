/**
 * Node hashes of cosmos/iavl v1. New nodes are gathered by height and hashed from the leaves up, four at a time, each once.
 */
import { createHash } from "node:crypto";
import {
  blocksOf,
  digests,
  hashLanes,
  laneBlocksMax,
  laneMemory,
  laneStart,
  lanes,
  laneView,
  padLane,
} from "@keel/proto/bytes/sha256-lanes";
import { leftOf, type Node, rightOf } from "./node.ts";
import type { Root } from "./tree.ts";

/** SHA256 of nothing: the root of a tree without keys. */
const emptyHash: Uint8Array = Uint8Array.from(createHash("sha256").digest());

/** Longest message a lane holds. */
const laneLengthMax: number = laneBlocksMax * 64 - 9;

/** 32 bytes. Computes and keeps the hashes that are missing below `root`. */
export function rootHash(root: Root): Uint8Array {
  return root === null ? emptyHash.slice() : nodeHash(root);
}

/** As `rootHash`, of one node. */
export function nodeHash(node: Node): Uint8Array {
  if (!node.hashed) hashTrees([node]);
  const bytes = new Uint8Array(32);
  writeHash(node, new DataView(bytes.buffer), 0);
  return bytes;
}

/** Zig-zag varints of height, size and version: how every hashed node begins (and its ICS-23 prefix). */
export function nodePrefix(node: Node): Uint8Array {
  return laneMemory.slice(0, writeNodePrefix(node, 0));
}

/** Computes what is missing below all of `roots` in one pass. */
export function hashTrees(roots: readonly Root[]): void {
  const byHeight: Node[][] = [[]];
  for (const root of roots) if (root !== null) gather(root, byHeight);
  const [leaves = [], ...inners] = byHeight;
  if (leaves.length > 0) hashLeaves(leaves);
  for (const nodes of inners) hashInners(nodes);
}

/** Every unhashed node is reached through unhashed ones: making a node makes its whole path anew. */
function gather(node: Node, byHeight: Node[][]): void {
  if (node.hashed) return;
  node.hashed = true;
  if (node.height > 0) {
    gather(leftOf(node), byHeight);
    gather(rightOf(node), byHeight);
  }
  while (byHeight.length <= node.height) byHeight.push([]);
  (byHeight[node.height] as Node[]).push(node);
}

function hashInners(nodes: readonly Node[]): void {
  for (let first = 0; first < nodes.length; first += lanes) {
    const count = Math.min(lanes, nodes.length - first);
    for (let lane = 0; lane < count; lane++) writeInner(nodes[first + lane] as Node, lane);
    // 68 to 86 bytes: always two blocks.
    hashLanes(2);
    for (let lane = 0; lane < count; lane++) readDigest(nodes[first + lane] as Node, lane);
  }
}

function writeInner(node: Node, lane: number): void {
  const start = laneStart(lane);
  let at = writeNodePrefix(node, start);
  laneMemory[at] = 32;
  writeHash(leftOf(node), laneView, at + 1);
  at += 33;
  laneMemory[at] = 32;
  writeHash(rightOf(node), laneView, at + 1);
  padLane(lane, at + 33 - start);
}

/** First the values, whose hashes wait in the nodes' own words, then the leaves themselves. */
function hashLeaves(leaves: readonly Node[]): void {
  hashGrouped(leaves, valueLength, writeValue);
  hashGrouped(leaves, leafLength, writeLeaf);
}

type LengthOf = (node: Node) => number;
/** Writes a message at `start` of `memory`. */
type WriteMessage = (node: Node, memory: Uint8Array, start: number) => void;

/** Lanes run in step, so messages are grouped by their number of blocks. */
function hashGrouped(nodes: readonly Node[], lengthOf: LengthOf, write: WriteMessage): void {
  const groups: Node[][] = Array.from({ length: laneBlocksMax + 1 }, () => []);
  for (const node of nodes) {
    const length = lengthOf(node);
    if (length > laneLengthMax) hashLong(node, length, write);
    else (groups[blocksOf(length)] as Node[]).push(node);
  }
  groups.forEach((group, blocks) => {
    for (let first = 0; first < group.length; first += lanes) {
      const count = Math.min(lanes, group.length - first);
      for (let lane = 0; lane < count; lane++) {
        const node = group[first + lane] as Node;
        write(node, laneMemory, laneStart(lane));
        padLane(lane, lengthOf(node));
      }
      hashLanes(blocks);
      for (let lane = 0; lane < count; lane++) readDigest(group[first + lane] as Node, lane);
    }
  });
}

function hashLong(node: Node, length: number, write: WriteMessage): void {
  const message = new Uint8Array(length);
  write(node, message, 0);
  const digest = createHash("sha256").update(message).digest();
  for (let word = 0; word < 8; word++) digests[word * lanes] = digest.readInt32BE(word * 4);
  readDigest(node, 0);
}

function valueLength(node: Node): number {
  return (node.value as string).length;
}

function writeValue(node: Node, memory: Uint8Array, start: number): void {
  writeText(node.value as string, memory, start);
}

function leafLength(node: Node): number {
  // Height 0 and size 1 take a byte each.
  const { length } = node.key;
  return 2 + uvarintSize(node.version * 2) + uvarintSize(length) + length + 33;
}

function writeLeaf(node: Node, memory: Uint8Array, start: number): void {
  memory[start] = 0;
  memory[start + 1] = 2;
  let at = writeUvarint(memory, start + 2, node.version * 2);
  at = writeUvarint(memory, at, node.key.length);
  writeText(node.key, memory, at);
  at += node.key.length;
  memory[at] = 32;
  const view = memory === laneMemory ? laneView : new DataView(memory.buffer);
  writeHash(node, view, at + 1);
}

function writeNodePrefix(node: Node, start: number): number {
  let at = writeUvarint(laneMemory, start, node.height * 2);
  at = writeUvarint(laneMemory, at, node.size * 2);
  return writeUvarint(laneMemory, at, node.version * 2);
}

/** `value` is a safe integer; sizes and versions stay far below 2^52, so doubling them for zig-zag is exact. */
function writeUvarint(into: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest > 0x7fffffff) {
    into[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  while (rest > 0x7f) {
    into[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  into[at++] = rest;
  return at;
}

function uvarintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) size++;
  return size;
}

function writeText(text: string, memory: Uint8Array, start: number): void {
  for (let i = 0; i < text.length; i++) memory[start + i] = text.charCodeAt(i);
}

function writeHash(node: Node, view: DataView, at: number): void {
  view.setInt32(at, node.h0);
  view.setInt32(at + 4, node.h1);
  view.setInt32(at + 8, node.h2);
  view.setInt32(at + 12, node.h3);
  view.setInt32(at + 16, node.h4);
  view.setInt32(at + 20, node.h5);
  view.setInt32(at + 24, node.h6);
  view.setInt32(at + 28, node.h7);
}

/** Word w of a lane lies at w × lanes + lane. */
function readDigest(node: Node, lane: number): void {
  node.h0 = digests[lane] as number;
  node.h1 = digests[lanes + lane] as number;
  node.h2 = digests[2 * lanes + lane] as number;
  node.h3 = digests[3 * lanes + lane] as number;
  node.h4 = digests[4 * lanes + lane] as number;
  node.h5 = digests[5 * lanes + lane] as number;
  node.h6 = digests[6 * lanes + lane] as number;
  node.h7 = digests[7 * lanes + lane] as number;
}

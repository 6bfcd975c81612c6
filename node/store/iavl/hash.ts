/** Node hashes of cosmos/iavl v1, computed once per node, bottom up, through one reused buffer. */
import { hash } from "node:crypto";
import { leftOf, type Node, rightOf } from "./node.ts";
import type { Root } from "./tree.ts";

/** SHA256 of nothing: the root of a tree without keys. */
const emptyHash: string = hash("sha256", "", "binary");

/** Three varints, two 33-byte hashes; leaves are longer only by their key. */
let scratch: Buffer = Buffer.allocUnsafe(512);
/** `scratch.subarray(0, n)` by n: making the view costs more than the copy into it. */
let views: (Buffer | undefined)[] = [];

/** 32 bytes as latin-1. Computes and keeps the hashes that are missing below `root`. */
export function rootHash(root: Root): string {
  return root === null ? emptyHash : nodeHash(root);
}

/** As `rootHash`, of one node. */
export function nodeHash(node: Node): string {
  if (node.hash !== "") return node.hash;
  if (node.height === 0) {
    const value = sha256Latin1(node.value as string);
    const start = writeNodePrefix(node);
    ensure(start + 10 + node.key.length + 33);
    const at = writeText(node.key, writeUvarint(scratch, start, node.key.length));
    scratch[at] = 32;
    node.hash = digest(writeText(value, at + 1));
    return node.hash;
  }
  const left = nodeHash(leftOf(node));
  const right = nodeHash(rightOf(node));
  let at = writeNodePrefix(node);
  scratch[at] = 32;
  at = writeText(left, at + 1);
  scratch[at] = 32;
  node.hash = digest(writeText(right, at + 1));
  return node.hash;
}

/** SHA-256 of the bytes that `text` stands for, as latin-1. */
export function sha256Latin1(text: string): string {
  ensure(text.length);
  return digest(writeText(text, 0));
}

/** Zig-zag varints of height, size and version: how every hashed node begins (and its ICS-23 prefix). */
export function nodePrefix(node: Node): Uint8Array {
  return Uint8Array.from(scratch.subarray(0, writeNodePrefix(node)));
}

function writeNodePrefix(node: Node): number {
  let at = writeUvarint(scratch, 0, node.height * 2);
  at = writeUvarint(scratch, at, node.size * 2);
  return writeUvarint(scratch, at, node.version * 2);
}

/** `value` is a safe integer; sizes and versions stay far below 2^52, so doubling them for zig-zag is exact. */
function writeUvarint(into: Buffer, start: number, value: number): number {
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

/** A loop beats Buffer.write for so short a string as a hash or key: the call into C++ costs more than the copy. */
function writeText(text: string, start: number): number {
  const length = text.length;
  if (length > 96) return start + scratch.write(text, start, "latin1");
  for (let i = 0; i < length; i++) scratch[start + i] = text.charCodeAt(i);
  return start + length;
}

function digest(length: number): string {
  let view = views[length];
  if (view === undefined) {
    view = scratch.subarray(0, length);
    if (length < 1024) views[length] = view;
  }
  return hash("sha256", view, "binary");
}

/** Room for `length` bytes; what was written so far is kept. */
function ensure(length: number): void {
  if (length <= scratch.length) return;
  const grown = Buffer.allocUnsafe(length * 2);
  scratch.copy(grown);
  scratch = grown;
  views = [];
}

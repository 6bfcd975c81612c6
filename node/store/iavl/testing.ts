/** What tests of the tree share: the seeded operations behind the golden file, and a check of every structural rule. */
import { leftOf, type Node, rightOf } from "./node.ts";
import type { Root } from "./tree.ts";

/** xorshift32: small enough to write in any language that must produce the same operations. */
export function createXorshift(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}

/** Key number `n` of the golden scenarios: 4 to 8 bytes. */
export function goldenKey(n: number): string {
  const key = Buffer.alloc(4 + (n % 5));
  key.writeUInt32BE(Math.imul(n, 2654435761) >>> 0);
  for (let i = 4; i < key.length; i++) key[i] = n + i;
  return key.toString("latin1");
}

/** Value for draw `r` of the golden scenarios: 1 to 41 bytes. */
export function goldenValue(r: number): string {
  const value = Buffer.alloc(1 + (r % 41));
  for (let i = 0; i < value.length; i++) value[i] = (r >>> (8 * (i % 4))) ^ i;
  return value.toString("latin1");
}

/** Throws at the first rule that `root` breaks: order, inner keys, heights, sizes, balance, versions. */
export function assertTree(root: Root, version: number): void {
  if (root !== null) check(root, "", null, version);
}

function check(node: Node, low: string, high: string | null, versionMax: number): void {
  const fail = (rule: string): never => {
    throw new Error(
      `${rule} at key ${Buffer.from(node.key, "latin1").toString("hex")}, height ${node.height}`,
    );
  };
  if (node.version < 1 || node.version > versionMax)
    fail(`version ${node.version} outside 1 to ${versionMax}`);
  if (node.left === null || node.right === null) {
    if (node.left !== node.right || node.height !== 0 || node.size !== 1 || node.value === null)
      fail("malformed leaf");
    if (node.key < low || (high !== null && node.key >= high)) fail("leaf out of order");
    return;
  }
  const left = leftOf(node);
  const right = rightOf(node);
  if (node.value !== null) fail("inner node with a value");
  if (node.height !== Math.max(left.height, right.height) + 1) fail("wrong height");
  if (node.size !== left.size + right.size) fail("wrong size");
  if (Math.abs(left.height - right.height) > 1) fail("unbalanced");
  if (node.version < left.version || node.version < right.version) fail("older than its child");
  let smallest = right;
  while (smallest.height > 0) smallest = leftOf(smallest);
  if (node.key !== smallest.key) fail("inner key is not the smallest of the right");
  check(left, low, node.key, versionMax);
  check(right, node.key, high, versionMax);
}

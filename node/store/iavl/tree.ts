/**
 * The IAVL+ rules of cosmos/iavl v1: which tree results from which operation. Functions take a root and give a root; what a
 * committed version shares is never touched, while nodes already made for `version` are changed in place.
 *
 * One deliberate choice: setting the bytes a key already has leaves the tree as it is (upstream would write a new leaf).
 */
import { balanceOf, createInner, createLeaf, leftOf, type Node, rightOf } from "./node.ts";

export type Root = Node | null;

/** `version` must be above the version of every committed node. */
export function setKey(root: Root, key: string, value: string, version: number): Node {
  return root === null ? createLeaf(key, value, version) : setBelow(root, key, value, version);
}

/** The same root when the key is absent. */
export function removeKey(root: Root, key: string, version: number): Root {
  if (root === null) return null;
  const result: Removal = { newSmallestKey: null };
  return removeBelow(root, key, version, result);
}

/** The value, or null when the key is absent. */
export function getKey(root: Root, key: string): string | null {
  let node = root;
  while (node !== null) {
    if (node.height === 0) return node.key === key ? node.value : null;
    node = key < node.key ? node.left : node.right;
  }
  return null;
}

function setBelow(node: Node, key: string, value: string, version: number): Node {
  if (node.height === 0) {
    if (key === node.key) return value === node.value ? node : createLeaf(key, value, version);
    const added = createLeaf(key, value, version);
    return key < node.key
      ? createInner(node.key, added, node, version)
      : createInner(key, node, added, version);
  }
  if (key < node.key) {
    const left = leftOf(node);
    const changed = setBelow(left, key, value, version);
    if (changed === left && left.version !== version) return node;
    const own = owned(node, version);
    own.left = changed;
    return rebalanced(own, version);
  }
  const right = rightOf(node);
  const changed = setBelow(right, key, value, version);
  if (changed === right && right.version !== version) return node;
  const own = owned(node, version);
  own.right = changed;
  return rebalanced(own, version);
}

interface Removal {
  /** Set when the leftmost leaf of the subtree went: what the first ancestor having it on its right must take as key. */
  newSmallestKey: string | null;
}

/** Null when `node` was the leaf removed; `node` itself, untouched, when the key is absent. */
function removeBelow(node: Node, key: string, version: number, result: Removal): Node | null {
  if (node.height === 0) return node.key === key ? null : node;
  if (key < node.key) {
    const left = leftOf(node);
    const changed = removeBelow(left, key, version, result);
    if (changed === left && left.version !== version) return node;
    if (changed === null) {
      result.newSmallestKey = node.key;
      return node.right;
    }
    const own = owned(node, version);
    own.left = changed;
    return rebalanced(own, version);
  }
  const right = rightOf(node);
  const changed = removeBelow(right, key, version, result);
  if (changed === right && right.version !== version) return node;
  if (changed === null) return node.left;
  const own = owned(node, version);
  own.right = changed;
  if (result.newSmallestKey !== null) {
    own.key = result.newSmallestKey;
    result.newSmallestKey = null;
  }
  return rebalanced(own, version);
}

/** `node` itself if it was made in `version`, else a copy that was. Its hash is forgotten either way. */
function owned(node: Node, version: number): Node {
  if (node.version === version) {
    node.hashed = false;
    return node;
  }
  return createInner(node.key, leftOf(node), rightOf(node), version);
}

/** `node` must be owned. */
function rebalanced(node: Node, version: number): Node {
  measure(node);
  const balance = balanceOf(node);
  if (balance > 1) {
    if (balanceOf(leftOf(node)) < 0) node.left = rotateLeft(owned(leftOf(node), version), version);
    return rotateRight(node, version);
  }
  if (balance < -1) {
    if (balanceOf(rightOf(node)) > 0)
      node.right = rotateRight(owned(rightOf(node), version), version);
    return rotateLeft(node, version);
  }
  return node;
}

function rotateRight(node: Node, version: number): Node {
  const top = owned(leftOf(node), version);
  node.left = top.right;
  top.right = node;
  measure(node);
  measure(top);
  return top;
}

function rotateLeft(node: Node, version: number): Node {
  const top = owned(rightOf(node), version);
  node.right = top.left;
  top.left = node;
  measure(node);
  measure(top);
  return top;
}

function measure(node: Node): void {
  const left = leftOf(node);
  const right = rightOf(node);
  node.height = Math.max(left.height, right.height) + 1;
  node.size = left.size + right.size;
}

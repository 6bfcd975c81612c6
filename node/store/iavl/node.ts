/**
 * One node of an IAVL+ tree. Keys and values are latin-1 strings (one char per byte): they compare and pack far cheaper than
 * byte arrays, and a tree of a million keys stays a third of the size.
 */

/** Nodes of a committed version never change; nodes of the version being built are changed in place. */
export class Node {
  /** Leaf: its key. Inner: the smallest key of the right subtree. */
  key: string;
  /** Leaves only; null for an inner node. */
  value: string | null;
  left: Node | null;
  right: Node | null;
  /** 0 for a leaf. */
  height: number;
  /** Leaves below (1 for a leaf). */
  size: number;
  /** The version in which this node was created. */
  version: number;
  /** Whether the words below are the hash of this node as it is. */
  hashed: boolean;
  /** The hash as eight big-endian int32 words: they are written into messages, never looked at as bytes. */
  h0: number;
  h1: number;
  h2: number;
  h3: number;
  h4: number;
  h5: number;
  h6: number;
  h7: number;

  constructor(
    key: string,
    value: string | null,
    left: Node | null,
    right: Node | null,
    version: number,
  ) {
    this.key = key;
    this.value = value;
    this.left = left;
    this.right = right;
    this.version = version;
    this.hashed = false;
    this.h0 = 0;
    this.h1 = 0;
    this.h2 = 0;
    this.h3 = 0;
    this.h4 = 0;
    this.h5 = 0;
    this.h6 = 0;
    this.h7 = 0;
    if (left === null || right === null) {
      this.height = 0;
      this.size = 1;
    } else {
      this.height = Math.max(left.height, right.height) + 1;
      this.size = left.size + right.size;
    }
  }
}

export function createLeaf(key: string, value: string, version: number): Node {
  return new Node(key, value, null, null, version);
}

export function createInner(key: string, left: Node, right: Node, version: number): Node {
  return new Node(key, null, left, right, version);
}

export function leftOf(node: Node): Node {
  return node.left as Node;
}

export function rightOf(node: Node): Node {
  return node.right as Node;
}

/** Left height minus right height. */
export function balanceOf(node: Node): number {
  return (node.left as Node).height - (node.right as Node).height;
}

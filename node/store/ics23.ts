/**
 * ICS-23 proofs of one IAVL+ tree: a key is there with its value, or absent between two adjacent keys.
 * Encoded as `cosmos.ics23.v1.CommitmentProof`; the shapes are those of the spec's `iavl` and `tendermint` proof specs.
 */
import { Writer } from "@keel/consensus/wire/writer";
import { concatBytes } from "@keel/proto/bytes/compare";
import { nodeHash, nodePrefix } from "./iavl/hash.ts";
import { leftOf, type Node, rightOf } from "./iavl/node.ts";
import type { Root } from "./iavl/tree.ts";
import { bytesOf } from "./latin1.ts";

export interface InnerOp {
  readonly prefix: Uint8Array;
  readonly suffix: Uint8Array;
}

export interface ExistenceProof {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** Prefix of the leaf's hash input. */
  readonly leafPrefix: Uint8Array;
  /** From the leaf up. */
  readonly path: readonly InnerOp[];
}

export interface NonExistenceProof {
  readonly key: Uint8Array;
  readonly left: ExistenceProof | null;
  readonly right: ExistenceProof | null;
}

export type CommitmentProof =
  | { readonly exist: ExistenceProof }
  | { readonly nonexist: NonExistenceProof };

/** A proof for `key` against `rootHash(root)`. The empty tree has no proof of anything: null sides on both ends. */
export function provePresenceOrAbsence(root: Root, key: string): CommitmentProof {
  const path: Node[] = [];
  let leftNeighbour: Node[] | null = null;
  let rightNeighbour: Node[] | null = null;
  let node = root;
  while (node !== null && node.height > 0) {
    path.push(node);
    if (key < node.key) {
      rightNeighbour = [...path, rightOf(node)];
      node = leftOf(node);
    } else {
      leftNeighbour = [...path, leftOf(node)];
      node = rightOf(node);
    }
  }
  if (node !== null && node.key === key) return { exist: existence([...path, node]) };
  if (node !== null) {
    // The leaf reached is itself one neighbour; the other hangs off the last turn taken the opposite way.
    if (node.key < key) leftNeighbour = [...path, node];
    else rightNeighbour = [...path, node];
  }
  return {
    nonexist: {
      key: bytesOf(key),
      left: leftNeighbour && existence(descend(leftNeighbour, rightOf)),
      right: rightNeighbour && existence(descend(rightNeighbour, leftOf)),
    },
  };
}

function descend(path: Node[], towards: (node: Node) => Node): Node[] {
  let last = path[path.length - 1] as Node;
  while (last.height > 0) {
    last = towards(last);
    path.push(last);
  }
  return path;
}

/** `path` leads from the root to the leaf, both included. */
function existence(path: readonly Node[]): ExistenceProof {
  const leaf = path[path.length - 1] as Node;
  const ops: InnerOp[] = [];
  for (let i = path.length - 2; i >= 0; i--)
    ops.push(innerOp(path[i] as Node, path[i + 1] as Node));
  return {
    key: bytesOf(leaf.key),
    value: bytesOf(leaf.value as string),
    leafPrefix: nodePrefix(leaf),
    path: ops,
  };
}

function innerOp(parent: Node, child: Node): InnerOp {
  const head = nodePrefix(parent);
  if (child === parent.left) {
    return {
      prefix: concatBytes(head, lengthByte),
      suffix: concatBytes(lengthByte, nodeHash(rightOf(parent))),
    };
  }
  return {
    prefix: concatBytes(head, lengthByte, nodeHash(leftOf(parent)), lengthByte),
    suffix: new Uint8Array(),
  };
}

const lengthByte: Uint8Array = Uint8Array.of(32);

/** `cosmos.ics23.v1.CommitmentProof`. */
export function encodeCommitmentProof(proof: CommitmentProof): Uint8Array {
  const writer = new Writer(2048);
  if ("exist" in proof) {
    writeMessage(writer, 1, () => writeExistence(writer, proof.exist));
  } else {
    const { key, left, right } = proof.nonexist;
    writeMessage(writer, 2, () => {
      writeBytes(writer, 1, key);
      if (left !== null) writeMessage(writer, 2, () => writeExistence(writer, left));
      if (right !== null) writeMessage(writer, 3, () => writeExistence(writer, right));
    });
  }
  return writer.finish();
}

// ics23 enums: HashOp SHA256 = 1, LengthOp VAR_PROTO = 1; NO_HASH = 0 is left out as proto3 does.
const sha256Op = 1;
const varProto = 1;

function writeExistence(writer: Writer, proof: ExistenceProof): void {
  writeBytes(writer, 1, proof.key);
  writeBytes(writer, 2, proof.value);
  writeMessage(writer, 3, () => {
    writeUint(writer, 1, sha256Op);
    writeUint(writer, 3, sha256Op);
    writeUint(writer, 4, varProto);
    writeBytes(writer, 5, proof.leafPrefix);
  });
  for (const { prefix, suffix } of proof.path) {
    writeMessage(writer, 4, () => {
      writeUint(writer, 1, sha256Op);
      writeBytes(writer, 2, prefix);
      writeBytes(writer, 3, suffix);
    });
  }
}

function writeUint(writer: Writer, field: number, value: number): void {
  writer.varint(field * 8);
  writer.varint(value);
}

function writeBytes(writer: Writer, field: number, value: Uint8Array): void {
  if (value.length > 0) writeMessage(writer, field, () => writer.raw(value));
}

/** Length-delimited, written even when empty. */
function writeMessage(writer: Writer, field: number, write: () => void): void {
  writer.varint(field * 8 + 2);
  writer.delimited(write);
}

import {
  iavlSpec,
  ics23,
  tendermintSpec,
  verifyMembership,
  verifyNonMembership,
} from "@confio/ics23";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { describe, expect, test } from "vitest";
import { rootHash } from "./iavl/hash.ts";
import { goldenKey, goldenValue } from "./iavl/testing.ts";
import { type Root, setKey } from "./iavl/tree.ts";
import { bytesOf } from "./latin1.ts";
import { appHashOf, type ProofOp, proveInStores } from "./multistore.ts";

/** Verifies with an independent library what a relayer would: key in store, store in app hash. */
function verify(
  appHash: Uint8Array,
  key: Uint8Array,
  value: Uint8Array | null,
  ops: readonly ProofOp[],
): boolean {
  const [inner, outer] = ops.map((op) => ics23.CommitmentProof.decode(op.data));
  const storeRoot = outer?.exist?.value;
  if (inner === undefined || outer === undefined || storeRoot == null) return false;
  const inStore =
    value === null
      ? verifyNonMembership(inner, iavlSpec, storeRoot, key)
      : verifyMembership(inner, iavlSpec, storeRoot, key, value);
  return (
    inStore && verifyMembership(outer, tendermintSpec, appHash, (ops[1] as ProofOp).key, storeRoot)
  );
}

function treeOf(count: number): Root {
  let root: Root = null;
  for (let n = 0; n < count; n++)
    root = setKey(root, goldenKey(n * 2), goldenValue(n), 1 + Math.floor(n / 10));
  return root;
}

describe("proofs an independent ICS-23 library accepts", () => {
  test.each([1, 2, 3, 8, 31, 200])(
    "every key of a tree of %i is proved, and every key beside it absent",
    (count) => {
      const roots = new Map<string, Root>([
        ["acc", treeOf(3)],
        ["bank", treeOf(count)],
        ["margin", null],
        ["oracle", treeOf(1)],
        ["staking", treeOf(5)],
      ]);
      const appHash = appHashOf(roots);
      for (let n = 0; n < count; n++) {
        const present = bytesOf(goldenKey(n * 2));
        const proof = proveInStores(roots, "bank", present);
        expect(proof.value).toEqual(bytesOf(goldenValue(n)));
        expect(verify(appHash, present, proof.value, proof.proofOps)).toBe(true);
        const absent = bytesOf(goldenKey(n * 2 + 1));
        const absence = proveInStores(roots, "bank", absent);
        expect(absence.value).toBeNull();
        expect(verify(appHash, absent, null, absence.proofOps)).toBe(true);
      }
      for (const edge of [
        Uint8Array.of(0),
        Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 255),
      ]) {
        expect(verify(appHash, edge, null, proveInStores(roots, "bank", edge).proofOps)).toBe(true);
      }
    },
  );

  test("a proof does not verify for another value, another key, another root, or as absence", () => {
    const roots = new Map<string, Root>([
      ["bank", treeOf(40)],
      ["oracle", treeOf(2)],
    ]);
    const appHash = appHashOf(roots);
    const key = bytesOf(goldenKey(6));
    const { value, proofOps } = proveInStores(roots, "bank", key);
    expect(verify(appHash, key, value, proofOps)).toBe(true);
    expect(verify(appHash, key, utf8ToBytes("other"), proofOps)).toBe(false);
    expect(verify(appHash, bytesOf(goldenKey(8)), value, proofOps)).toBe(false);
    expect(verify(appHash, key, null, proofOps)).toBe(false);
    expect(
      verify(
        appHashOf(
          new Map([
            ["bank", treeOf(41)],
            ["oracle", null],
          ]),
        ),
        key,
        value,
        proofOps,
      ),
    ).toBe(false);
  });

  test("a version of many bytes keeps leaf and inner prefixes within the spec's 12 bytes", () => {
    let root: Root = null;
    for (let n = 0; n < 300; n++) root = setKey(root, goldenKey(n), "value", 2 ** 40);
    const roots = new Map([["bank", root]]);
    const { value, proofOps } = proveInStores(roots, "bank", bytesOf(goldenKey(17)));
    expect(verify(appHashOf(roots), bytesOf(goldenKey(17)), value, proofOps)).toBe(true);
  });
});

describe("app hash", () => {
  test("an empty store and one of two keys hash as published", () => {
    const bank = setKey(setKey(null, "a", "1", 1), "b", "2", 1);
    expect(
      bytesToHex(
        appHashOf(
          new Map([
            ["acc", null],
            ["bank", bank],
          ]),
        ),
      ),
    ).toBe("27D361F8684BBD16446CC7F25055CC5194FE6AD77569A32C5569B59F57174100");
  });

  test("every store, empty ones too, is provable whatever the number of stores", () => {
    for (let count = 1; count <= 17; count++) {
      const names = Array.from({ length: count }, (_, i) => `s${String(i).padStart(2, "0")}`);
      const roots = new Map<string, Root>(names.map((name, i) => [name, treeOf(i)]));
      const appHash = appHashOf(roots);
      for (const name of names) {
        const op = proveInStores(roots, name, Uint8Array.of(1)).proofOps[1] as ProofOp;
        const proof = ics23.CommitmentProof.decode(op.data);
        expect(
          verifyMembership(
            proof,
            tendermintSpec,
            appHash,
            utf8ToBytes(name),
            rootHash(roots.get(name) ?? null),
          ),
        ).toBe(true);
      }
    }
  });
});

import { readFileSync } from "node:fs";
import { bytesToHex, hexToBytes } from "@keel/proto/bytes/hex";
import { describe, expect, test } from "vitest";
import { encodeCommitmentProof, provePresenceOrAbsence } from "../ics23.ts";
import { rootHash } from "./hash.ts";
import { createLeaf } from "./node.ts";
import { assertTree, createXorshift, goldenKey, goldenValue } from "./testing.ts";
import { getKey, type Root, removeKey, setKey } from "./tree.ts";
import { leaves } from "./walk.ts";

interface Scenario {
  name: string;
  seed: number;
  keySpace: number;
  opsPerVersion: number;
  removePercent: number;
  initialVersion: number;
  versions: number;
  roots: string[];
  proofs: { key: string; value: string; proof: string }[];
}

const golden = JSON.parse(
  readFileSync(new URL("../testdata/iavl-golden.json", import.meta.url), "utf8"),
) as {
  source: string;
  scenarios: Scenario[];
};

const hex = (text: string): string => Buffer.from(text, "latin1").toString("hex");
const latin1 = (text: string): string => Buffer.from(hexToBytes(text)).toString("latin1");

describe(`roots and proofs of ${golden.source}`, () => {
  test.each(golden.scenarios)(
    "replaying scenario '$name' gives its root at each version and its proofs",
    (scenario) => {
      const next = createXorshift(scenario.seed);
      let root: Root = null;
      for (let i = 0; i < scenario.versions; i++) {
        const version = scenario.initialVersion + i;
        for (let op = 0; op < scenario.opsPerVersion; op++) {
          const remove = next() % 100 < scenario.removePercent;
          const key = goldenKey(next() % scenario.keySpace);
          const value = goldenValue(next());
          root = remove ? removeKey(root, key, version) : setKey(root, key, value, version);
        }
        assertTree(root, version);
        const expected = (scenario.roots[i] as string).toUpperCase();
        expect(
          bytesToHex(rootHash(root)).slice(0, expected.length),
          `root of version ${version}`,
        ).toBe(expected);
      }
      for (const { key, value, proof } of scenario.proofs) {
        const keyText = latin1(key);
        expect(hex(getKey(root, keyText) ?? "")).toBe(value);
        expect(bytesToHex(encodeCommitmentProof(provePresenceOrAbsence(root, keyText)))).toBe(
          proof.toUpperCase(),
        );
      }
    },
  );
});

describe("hash vectors", () => {
  test("a leaf and a two-leaf tree at version 1 hash as published", () => {
    expect(bytesToHex(rootHash(createLeaf("a", "1", 1)))).toBe(
      "BBE33CD0A785B97B9FB1F964AA71159DACD9E0ADE84DF7403DC0F9DC24818404",
    );
    const root = setKey(setKey(null, "a", "1", 1), "b", "2", 1);
    expect(bytesToHex(rootHash(root))).toBe(
      "94B037AB65E50F94EB827902A873EE796CB04E3C9AD38C9860D84CBAD668A9E7",
    );
  });

  test("the empty tree hashes as SHA256 of nothing", () => {
    expect(bytesToHex(rootHash(null))).toBe(
      "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
    );
  });
});

describe("what a committed version shares", () => {
  test("later versions leave an older root as it was", () => {
    let root: Root = null;
    for (let n = 0; n < 500; n++) root = setKey(root, goldenKey(n), "old", 1);
    const old = root;
    const before = rootHash(old);
    for (let n = 0; n < 500; n += 2) root = removeKey(root, goldenKey(n), 2);
    for (let n = 500; n < 900; n++) root = setKey(root, goldenKey(n), "new", 2);
    for (const leaf of leaves(old)) expect(leaf.value).toBe("old");
    expect(rootHash(old)).toEqual(before);
    assertTree(old, 1);
    assertTree(root, 2);
  });

  test("setting the bytes already there and removing an absent key keep the very root", () => {
    let root: Root = null;
    for (let n = 0; n < 50; n++) root = setKey(root, goldenKey(n), "value", 1);
    expect(setKey(root, goldenKey(7), "value", 2)).toBe(root);
    expect(removeKey(root, goldenKey(50), 2)).toBe(root);
    expect(removeKey(null, "a", 1)).toBeNull();
  });

  test("a key longer than the hashing buffer and an empty value are hashed", () => {
    const key = "k".repeat(5000);
    const root = setKey(setKey(null, key, "", 1), "a", "v".repeat(100_000), 1);
    expect(rootHash(root)).toHaveLength(32);
    expect(getKey(root, key)).toBe("");
  });
});

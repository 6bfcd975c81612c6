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
        const expected = scenario.roots[i] as string;
        expect(hex(rootHash(root)).slice(0, expected.length), `root of version ${version}`).toBe(
          expected,
        );
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
    expect(hex(rootHash(createLeaf("a", "1", 1)))).toBe(
      "bbe33cd0a785b97b9fb1f964aa71159dacd9e0ade84df7403dc0f9dc24818404",
    );
    const root = setKey(setKey(null, "a", "1", 1), "b", "2", 1);
    expect(hex(rootHash(root))).toBe(
      "94b037ab65e50f94eb827902a873ee796cb04e3c9ad38c9860d84cbad668a9e7",
    );
  });

  test("the empty tree hashes as SHA256 of nothing", () => {
    expect(hex(rootHash(null))).toBe(
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
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
    expect(rootHash(old)).toBe(before);
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

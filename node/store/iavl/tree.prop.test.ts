import fc from "fast-check";
import { expect, test } from "vitest";
import { rootHash } from "./hash.ts";
import { Node } from "./node.ts";
import { assertTree } from "./testing.ts";
import { getKey, type Root, removeKey, setKey } from "./tree.ts";
import { leaves, postOrder } from "./walk.ts";

const key = fc
  .uint8Array({ minLength: 1, maxLength: 3 })
  .map((bytes) => Buffer.from(bytes.map((b) => b % 7)).toString("latin1"));
const operation = fc.record({
  key,
  value: fc.option(
    fc.nat({ max: 3 }).map((n) => `v${n}`),
    { nil: null, freq: 2 },
  ),
});

test("a tree holds what a map holds, in order, balanced, over any versions", () => {
  fc.assert(
    fc.property(fc.array(fc.array(operation, { maxLength: 60 }), { maxLength: 12 }), (versions) => {
      const model = new Map<string, string>();
      const past: { root: Root; model: Map<string, string>; hash: Uint8Array }[] = [];
      let root: Root = null;
      versions.forEach((operations, index) => {
        const version = index + 1;
        const before = root;
        const modelBefore = new Map(model);
        for (const { key, value } of operations) {
          if (value === null) model.delete(key);
          else model.set(key, value);
          root = value === null ? removeKey(root, key, version) : setKey(root, key, value, version);
        }
        assertTree(root, version);
        if (
          operations.every(({ key }) => modelBefore.get(key) === model.get(key)) &&
          root === before
        ) {
          expect(rootHash(root)).toEqual(rootHash(before));
        }
        past.push({ root, model: new Map(model), hash: rootHash(root) });
      });
      for (const { root, model, hash } of past) {
        const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
        expect([...leaves(root)].map((leaf) => [leaf.key, leaf.value])).toEqual(sorted);
        expect(root?.size ?? 0).toBe(model.size);
        for (const [key, value] of model) expect(getKey(root, key)).toBe(value);
        expect(rootHash(unhashed(root))).toEqual(hash);
      }
    }),
    { numRuns: 100 },
  );
});

/** A structural copy without any kept hash, so that a hash gone stale by in-place changes would show. */
function unhashed(root: Root): Root {
  const stack: Node[] = [];
  for (const node of postOrder(root)) {
    const right = node.height > 0 ? (stack.pop() as Node) : null;
    const left = node.height > 0 ? (stack.pop() as Node) : null;
    stack.push(new Node(node.key, node.value, left, right, node.version));
  }
  return stack[0] ?? null;
}

/** What differs between a branch and a fork taken of it earlier: for tests that say "changed nothing". */
import type { Branch } from "../store.ts";

/** "collection/key in hex" of every key whose value is another than in `before`; keys must have been written since the journal's start. */
export function changesSince(before: Branch, now: Branch): readonly string[] {
  const out: string[] = [];
  for (const [collection, keys] of now.dirty()) {
    for (const { key } of keys) {
      if (before.get(collection, key) === now.get(collection, key)) continue;
      const codes = Array.from(key, (part) => part.charCodeAt(0).toString(16).padStart(2, "0"));
      out.push(`${collection}/${codes.join("")}`);
    }
  }
  return out;
}

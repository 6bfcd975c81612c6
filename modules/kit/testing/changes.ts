/** What a refusal left behind. */
import type { Branch } from "../store.ts";

/** Keys written since the journal of `branch` began whose value is another one than in `before`, a fork of it: "collection:key" each. */
export function changedKeys(before: Branch, branch: Branch): string[] {
  return [...branch.dirty()].flatMap(([collection, keys]) =>
    keys
      .filter(({ key, value }) => before.get(collection, key) !== value)
      .map(({ key }) => `${collection}:${key}`),
  );
}

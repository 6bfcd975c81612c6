/** What tests of the commit stores share: seeded blocks of changes and the state they lead to. */
import { createXorshift } from "./iavl/testing.ts";
import type { CommitStore, KeyChange, StoreChanges } from "./types.ts";

export const testStores: readonly string[] = ["acc", "bank", "margin"];

/** State of one store as a map from latin-1 key to value text. */
export type Model = Map<string, Map<string, string>>;

export interface TestChain {
  /** Changes of the next height. */
  next(): readonly StoreChanges[];
  /** State after the changes given so far. */
  readonly model: Model;
}

/** Blocks of sets, overwrites and deletes over a small key space; `margin` stays empty in every fourth block. */
export function createTestChain(
  seed: number,
  keysPerBlock: number = 12,
  keySpace: number = 60,
): TestChain {
  const draw = createXorshift(seed);
  const model: Model = new Map(testStores.map((store) => [store, new Map<string, string>()]));
  let height = 0;
  return {
    model,
    next() {
      height++;
      return testStores
        .filter((store) => store !== "margin" || height % 4 !== 0)
        .map((store) => ({ store, changes: blockOf(store) }));
    },
  };

  function blockOf(store: string): KeyChange[] {
    const keys = new Set<string>();
    for (let i = 0; i < keysPerBlock; i++)
      keys.add(`k${String(draw() % keySpace).padStart(4, "0")}`);
    const state = model.get(store) as Map<string, string>;
    return [...keys]
      .sort((a, b) => (a < b ? -1 : 1))
      .map((key) => {
        const removed = draw() % 3 === 0;
        const value = `${store}-${draw() % 50}`;
        if (removed) state.delete(key);
        else state.set(key, value);
        return { key, value: removed ? null : value };
      });
  }
}

export function stateOf(store: CommitStore): Model {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
  return new Map(
    testStores.map((name) => [
      name,
      new Map([...store.entries(name)].map(([key, value]) => [text(key), text(value)])),
    ]),
  );
}

/** The model with keys in ascending order, as `stateOf` gives them. */
export function sortedModel(model: Model): Model {
  return new Map(
    [...model].map(([store, state]) => [
      store,
      new Map([...state].sort(([a], [b]) => (a < b ? -1 : 1))),
    ]),
  );
}

export async function commitNext(store: CommitStore, chain: TestChain): Promise<Uint8Array> {
  const appHash = store.stage(store.height + 1, chain.next());
  await store.commit();
  return appHash;
}

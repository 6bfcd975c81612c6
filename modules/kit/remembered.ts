/**
 * What is computed from state and asked for again and again: kept with the branch for as long as nothing it was computed from has changed.
 *
 * Which collections that were is noted while it is computed, so nothing can be forgotten; the rest of what a computation may see, the
 * header, is compared. The answer is the same with and without, and so is gas: the computation is free, the caller charges for asking.
 */
import type { ReadContext } from "./context.ts";
import { AssertionError } from "./errors.ts";
import { unlimitedGas } from "./gas.ts";
import type { CollectionId, ReadState } from "./store.ts";

interface Known<V> {
  readonly value: V;
  readonly collections: readonly CollectionId[];
  /** Their counts of writes when it was computed. */
  readonly writes: readonly number[];
}

interface Memory<K, V> {
  height: number;
  timeNs: bigint;
  readonly known: Map<K, Known<V>>;
}

/** `compute` must depend on its context's state and header and its key only; there should be few keys. */
export function remembered<K extends number | string, V>(
  compute: (ctx: ReadContext, key: K) => V,
): (ctx: ReadContext, key: K) => V {
  return (ctx, key) => {
    const { state, header } = ctx;
    let memory = state.derived.get(compute) as Memory<K, V> | undefined;
    if (memory === undefined) {
      memory = { height: header.height, timeNs: header.timeNs, known: new Map() };
      state.derived.set(compute, memory);
    } else if (memory.timeNs !== header.timeNs || memory.height !== header.height) {
      memory.height = header.height;
      memory.timeNs = header.timeNs;
      memory.known.clear();
    }
    const known = memory.known.get(key);
    if (known !== undefined && holds(known, state)) return known.value;
    const reads = new Set<CollectionId>();
    const value = compute({ header, state: noting(state, reads), gas: unlimitedGas() }, key);
    const collections = [...reads];
    memory.known.set(key, {
      value,
      collections,
      writes: collections.map((one) => state.writes(one)),
    });
    return value;
  };
}

function holds(known: Known<unknown>, state: ReadState): boolean {
  const { collections, writes } = known;
  for (let i = 0; i < collections.length; i++) {
    if (state.writes(collections[i] as CollectionId) !== writes[i]) return false;
  }
  return true;
}

/** `state`, saying what is read of it. */
function noting(state: ReadState, reads: Set<CollectionId>): ReadState {
  return {
    get(collection, key) {
      reads.add(collection);
      return state.get(collection, key);
    },
    range(collection, from, to, visit, descending) {
      reads.add(collection);
      state.range(collection, from, to, visit, descending);
    },
    size(collection) {
      reads.add(collection);
      return state.size(collection);
    },
    writes(collection) {
      reads.add(collection);
      return state.writes(collection);
    },
    get derived(): ReadState["derived"] {
      throw new AssertionError("what is remembered may not depend on derived structures");
    },
  };
}

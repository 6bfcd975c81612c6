/** Stored blocks in the form a lagging peer is fed with: the seen commit and the block's parts, the last few kept. */
import type { Height } from "../core/types.ts";
import type { BlockStore } from "../host/ports.ts";
import { withoutExtensions } from "../wire/commit.ts";
import { splitIntoParts } from "../wire/part-set.ts";
import type { ExtendedCommit, Part, PartSetHeader } from "../wire/types.ts";
import { catchUpHeightsKept } from "./limits.ts";

export interface ServedBlock {
  readonly height: Height;
  readonly commit: ExtendedCommit;
  readonly header: PartSetHeader;
  readonly parts: readonly Part[];
}

export class StoredBlocks {
  readonly #store: BlockStore;
  /** In order of last use. */
  readonly #kept = new Map<Height, ServedBlock>();
  readonly #loading = new Set<Height>();
  readonly #onError: (height: Height, error: unknown) => void;

  constructor(store: BlockStore, onError: (height: Height, error: unknown) => void) {
    this.#store = store;
    this.#onError = onError;
  }

  /** The block when it is in memory; otherwise null, and `loaded` is called once it is (never when it is not stored). */
  get(height: Height, loaded: () => void): ServedBlock | null {
    const kept = this.#kept.get(height);
    if (kept !== undefined) {
      this.#kept.delete(height);
      this.#kept.set(height, kept);
      return kept;
    }
    // A bounded number of reads at once, however many peers ask for however many heights.
    if (this.#loading.size < catchUpHeightsKept && !this.#loading.has(height)) {
      this.#loading.add(height);
      this.#load(height)
        .then((block) => {
          this.#loading.delete(height);
          if (block !== null) loaded();
        })
        .catch((error: unknown) => {
          this.#loading.delete(height);
          this.#onError(height, error);
        });
    }
    return null;
  }

  async #load(height: Height): Promise<ServedBlock | null> {
    if (height < this.#store.base() || height > this.#store.height()) return null;
    const stored = await this.#store.load(height);
    const commit = await loadServedCommit(this.#store, height);
    if (stored === null || commit === null) return null;
    const { header, parts } = splitIntoParts(stored.bytes);
    const block = { height, commit, header, parts };
    this.#kept.set(height, block);
    if (this.#kept.size > catchUpHeightsKept) {
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest);
        break;
      }
    }
    return block;
  }
}

/** The seen commit with its extensions, or the canonical one of the next block when that is all there is. */
export async function loadServedCommit(
  store: BlockStore,
  height: Height,
): Promise<ExtendedCommit | null> {
  const seen = await store.loadSeenCommit(height);
  if (seen !== null) return seen;
  const canonical = await store.loadCommit(height);
  return canonical === null ? null : withoutExtensions(canonical);
}

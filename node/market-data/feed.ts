/**
 * Brings committed blocks to the reader. A commit only tells its height; the records are read back from disk when the reader has room, so
 * the disk is the queue, and a reader that is slow, was away or starts anew is fed in the same way.
 */
import type { BlockStore } from "@keel/consensus/host/ports";
import { timestampToNanos } from "@keel/proto/bytes/timestamp";
import type { ApplicationStore } from "../store/level/application-store.ts";
import type { LevelStateStore } from "../store/level/state-store.ts";
import { BLOCKS_IN_FLIGHT_MAX, LOAD_ENTRIES_PER_TURN } from "./limits.ts";
import type { BlockInput, Published } from "./reader.ts";
import { isTableKey, TABLES_STORE } from "./state-tables.ts";
import type { PackedEntries, ReaderThread } from "./thread.ts";

export interface FeedSources {
  readonly application: Pick<ApplicationStore, "height" | "loadChangelog" | "present">;
  readonly states: Pick<LevelStateStore, "loadEncodedResponse">;
  readonly blocks: Pick<BlockStore, "load" | "base">;
}

export interface FeedListener {
  /** The reader knows the state: topics can be followed. */
  onLoaded(): void;
  onPublished(published: Published): void;
}

/** A record that must be there is not: the reader has to start anew from committed state. */
export class FeedGap extends Error {}

export class MarketFeed {
  readonly #sources: FeedSources;
  readonly #thread: ReaderThread;
  readonly #listener: FeedListener;
  /** Highest height that is known to be committed. */
  #committed: number;
  #wake: (() => void) | null = null;
  #stopped = false;
  #inFlight = 0;

  constructor(sources: FeedSources, thread: ReaderThread, listener: FeedListener) {
    this.#sources = sources;
    this.#thread = thread;
    this.#listener = listener;
    this.#committed = sources.application.height;
  }

  /** All that a commit has to do. */
  committed(height: number): void {
    this.#committed = height;
    this.#wakeUp();
  }

  stop(): void {
    this.#stopped = true;
    this.#wakeUp();
  }

  /** Loads committed state, then feeds until stopped. Rejects when the reader fails or records are missing. */
  async run(): Promise<void> {
    const history = await this.#thread.open();
    const { height, leavesOf } = this.#sources.application.present();
    await this.#load(leavesOf(TABLES_STORE));
    await this.#thread.begin(height);
    this.#listener.onLoaded();
    await this.#feedHistory(history.height + 1, height);
    for (let next = height + 1; ; next++) {
      while (next > this.#committed && !this.#stopped) await this.#sleep();
      if (this.#stopped) return;
      // A chain may begin at any height.
      if (next === 1) next = Math.max(next, this.#sources.blocks.base());
      await this.#hand(await this.#read(next));
    }
  }

  async #load(entries: Iterable<{ readonly key: string; readonly value: string }>): Promise<void> {
    let chunk: { readonly key: string; readonly value: string }[] = [];
    for (const { key, value } of entries) {
      if (this.#stopped || key.charCodeAt(0) > LAST_TABLE) break;
      if (isTableKey(key)) chunk.push({ key, value });
      if (chunk.length < LOAD_ENTRIES_PER_TURN) continue;
      await this.#thread.load(packed(chunk));
      chunk = [];
    }
    await this.#thread.load(packed(chunk));
  }

  /** Blocks of before the loaded state: only history is made of them, as far as they are still there. */
  async #feedHistory(from: number, to: number): Promise<void> {
    for (let height = Math.max(from, this.#sources.blocks.base()); height <= to; height++) {
      if (this.#stopped) return;
      const response = await this.#sources.states.loadEncodedResponse(height);
      if (response === null) continue;
      const changelog = await this.#sources.application.loadChangelog(height);
      const timeMs = changelog === null ? await this.#timeOf(height) : 0;
      if (timeMs !== null) await this.#hand({ height, changelog, timeMs, response });
    }
  }

  /** A block's time from its header; its changes, which hold it too, are pruned. */
  async #timeOf(height: number): Promise<number | null> {
    const stored = await this.#sources.blocks.load(height);
    if (stored === null) return null;
    return Number(timestampToNanos(stored.block.header.time) / 1_000_000n);
  }

  async #read(height: number): Promise<BlockInput> {
    const changelog = await this.#sources.application.loadChangelog(height);
    const response = await this.#sources.states.loadEncodedResponse(height);
    if (changelog === null || response === null)
      throw new FeedGap(`block ${height} is pruned before market data was made of it`);
    return { height, changelog, timeMs: 0, response };
  }

  /** Resolves when there is room for another. */
  async #hand(input: BlockInput): Promise<void> {
    this.#inFlight += 1;
    this.#thread.block(input).then(
      (published) => {
        this.#inFlight -= 1;
        this.#listener.onPublished(published);
        this.#wakeUp();
      },
      () => {
        // The thread reports its failure itself, and whoever owns both stops this.
        this.#inFlight -= 1;
        this.#wakeUp();
      },
    );
    while (this.#inFlight >= BLOCKS_IN_FLIGHT_MAX && !this.#stopped) await this.#sleep();
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = null;
  }
}

/** First byte of the last keys that the reader's tables take. */
const LAST_TABLE = 0x18;

function packed(
  entries: readonly { readonly key: string; readonly value: string }[],
): PackedEntries {
  const lengths = new Uint32Array(entries.length * 2);
  let size = 0;
  for (const [i, { key, value }] of entries.entries()) {
    lengths[2 * i] = key.length;
    lengths[2 * i + 1] = value.length;
    size += key.length + value.length;
  }
  // Not from the shared pool: the memory goes to the other thread.
  const bytes = Buffer.from(new ArrayBuffer(size));
  let at = 0;
  for (const { key, value } of entries) {
    at += bytes.write(key, at, "latin1");
    at += bytes.write(value, at, "latin1");
  }
  return { bytes: new Uint8Array(bytes.buffer), lengths };
}

/** Answers peers that are syncing: where we stand, and stored blocks with their commits. Runs as long as the node does. */
import type { Height } from "../core/types.ts";
import type { BlockStore, Clock, PeerId, Transport } from "../host/ports.ts";
import type { NetLog } from "../net/handlers.ts";
import { encodeBlockSyncMessage } from "../net/messages.ts";
import { sendRetryMs, sendTriesMax, servedLoadsMax, servedWaitingMax } from "./limits.ts";

export interface BlockServerOptions {
  readonly transport: Transport;
  readonly clock: Pick<Clock, "startTimer">;
  readonly store: Pick<BlockStore, "base" | "height" | "load" | "loadSeenCommit">;
  readonly log: NetLog;
}

export class BlockServer {
  readonly #options: BlockServerOptions;
  /** Heights asked for, by peer, in order; served one peer after the other. */
  readonly #waiting = new Map<PeerId, Height[]>();
  /** One load at a time each: a peer that does not read its answers holds up nobody else. */
  readonly #serving = new Set<PeerId>();
  #stopped = false;

  constructor(options: BlockServerOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting.clear();
  }

  sendStatus(peer: PeerId): void {
    const { store, transport } = this.#options;
    transport.send(
      peer,
      "blocksync",
      encodeBlockSyncMessage({ type: "status", base: store.base(), height: store.height() }),
    );
  }

  request(peer: PeerId, height: Height): void {
    const queue = this.#waiting.get(peer) ?? [];
    if (queue.length >= servedWaitingMax) {
      this.#options.transport.report(peer, "block sync: too many requests at once", "minor");
      return;
    }
    queue.push(height);
    this.#waiting.set(peer, queue);
    this.#next();
  }

  forget(peer: PeerId): void {
    this.#waiting.delete(peer);
  }

  #next(): void {
    for (const [peer, queue] of this.#waiting) {
      if (this.#serving.size >= servedLoadsMax || this.#stopped) return;
      if (this.#serving.has(peer)) continue;
      const height = queue.shift();
      // To the back: no peer is served twice before another is served once.
      this.#waiting.delete(peer);
      if (queue.length > 0) this.#waiting.set(peer, queue);
      if (height !== undefined) this.#begin(peer, height);
    }
  }

  #begin(peer: PeerId, height: Height): void {
    this.#serving.add(peer);
    this.#serve(peer, height)
      .catch((error: unknown) =>
        this.#options.log.error("stored block could not be served", {
          height,
          reason: String(error),
        }),
      )
      .finally(() => {
        this.#serving.delete(peer);
        this.#next();
      });
  }

  async #serve(peer: PeerId, height: Height): Promise<void> {
    const { store } = this.#options;
    const isStored = height >= store.base() && height <= store.height();
    const stored = isStored ? await store.load(height) : null;
    // Without the seen commit the extensions are missing, and a receiver could neither store nor propose on it.
    const commit = stored === null ? null : await store.loadSeenCommit(height);
    const answer =
      stored === null || commit === null
        ? encodeBlockSyncMessage({ type: "noBlock", height })
        : encodeBlockSyncMessage({ type: "block", height, block: stored.bytes, commit });
    for (let tries = 0; tries < sendTriesMax && !this.#stopped; tries++) {
      if (this.#options.transport.send(peer, "blocksync", answer)) return;
      if (!this.#options.transport.peers().some((one) => one.id === peer)) return;
      await new Promise<void>((resolve) => this.#options.clock.startTimer(sendRetryMs, resolve));
    }
  }
}

/**
 * Brings a late or restarted node to the tip by fetching decided blocks from several peers at once, then hands over to consensus.
 * Each block is verified by its own commit, so no peer is believed, and one that lies costs only the time to notice.
 */
import { equalBytes } from "@keel/proto/bytes/compare";
import { nextHeight } from "../host/blocks.ts";
import type { Executor } from "../host/execution.ts";
import type {
  BlockStore,
  ChainState,
  Clock,
  PeerId,
  Transport,
  VerifyEd25519,
} from "../host/ports.ts";
import { type NetLog, silentLog } from "../net/handlers.ts";
import {
  type BlockSyncMessage,
  decodeBlockSyncMessage,
  encodeBlockSyncMessage,
} from "../net/messages.ts";
import { totalPower } from "../wire/validator-set.ts";
import { BlockPool, type ReceivedBlock } from "./block-pool.ts";
import { BlockServer } from "./block-server.ts";
import { idleMaxMs, loneMs, settleMs, statusMs, tickMs } from "./limits.ts";
import { verifySyncedBlock } from "./verify-block.ts";

export interface BlockSyncOptions {
  readonly transport: Transport;
  readonly clock: Pick<Clock, "monotonicMs" | "startTimer">;
  readonly store: BlockStore;
  readonly executor: Pick<Executor, "validateBlock" | "commitBlock">;
  readonly verify: VerifyEd25519;
  /** Our validator address; null when this node does not validate. */
  readonly self: Uint8Array | null;
  readonly log?: NetLog;
}

export interface SyncProgress {
  readonly height: number;
  readonly maxPeerHeight: number;
  readonly peers: number;
}

export class BlockSync {
  readonly #options: BlockSyncOptions;
  readonly #log: NetLog;
  readonly #server: BlockServer;
  /** Present while syncing. */
  #pool: BlockPool | null = null;
  #wake: (() => void) | null = null;
  #stopped = false;

  /** Serves other nodes from now on; fetches nothing before `run`. */
  constructor(options: BlockSyncOptions) {
    this.#options = options;
    this.#log = options.log ?? silentLog;
    const { transport, clock, store } = options;
    this.#server = new BlockServer({ transport, clock, store, log: this.#log });
    transport.onMessage("blocksync", (peer, bytes) => this.#onMessage(peer, bytes));
    transport.onPeer((peer, change) => this.#onPeer(peer, change));
  }

  /**
   * Applies blocks until no trusted peer is ahead, or none comes any more, and resolves with the state that consensus starts from. Rejects when a block
   * with more than two thirds of power behind it cannot be applied: then this node, not a peer, is broken.
   */
  async run(start: ChainState): Promise<ChainState> {
    if (this.#pool !== null) throw new Error("block sync: already running");
    if (mustNotWait(start, this.#options.self)) return start;
    const { clock, transport } = this.#options;
    const startedMs = clock.monotonicMs();
    const pool = new BlockPool(nextHeight(start), startedMs);
    this.#pool = pool;
    let state = start;
    let appliedMs = startedMs;
    let askedStatusMs = Number.NEGATIVE_INFINITY;
    try {
      while (!this.#stopped) {
        const nowMs = clock.monotonicMs();
        if (nowMs - askedStatusMs >= statusMs) {
          askedStatusMs = nowMs;
          transport.broadcast("blocksync", encodeBlockSyncMessage({ type: "statusRequest" }));
        }
        for (const peer of pool.takeOverdue(nowMs))
          transport.report(peer, "block sync: no answer", "major");
        for (const request of pool.takeRequests(nowMs)) {
          const bytes = encodeBlockSyncMessage({ type: "blockRequest", height: request.height });
          if (!transport.send(request.peer, "blocksync", bytes)) pool.cancel(request);
        }
        const block = pool.first();
        if (block !== null) {
          const next = await this.#apply(state, block, pool);
          if (next !== state) appliedMs = clock.monotonicMs();
          state = next;
        } else if (nowMs - appliedMs >= idleMaxMs || isCaughtUp(pool, state, { nowMs, startedMs }))
          break;
        else await this.#sleep();
      }
    } finally {
      this.#pool = null;
    }
    this.#log.debug("block sync finished", { height: state.lastHeight });
    return state;
  }

  /** Null when not syncing. */
  progress(): SyncProgress | null {
    const pool = this.#pool;
    return pool === null
      ? null
      : { height: pool.next - 1, maxPeerHeight: pool.maxHeight, peers: pool.peerCount };
  }

  /** Ends a run after the block in hand, and serving. */
  stop(): void {
    this.#stopped = true;
    this.#server.stop();
    this.#wake?.();
  }

  async #apply(state: ChainState, received: ReceivedBlock, pool: BlockPool): Promise<ChainState> {
    const { executor, transport, verify } = this.#options;
    const verdict = verifySyncedBlock(state, received, verify);
    if (!verdict.ok) {
      this.#log.warn("bad block from peer", {
        peer: received.peer,
        height: received.height,
        reason: verdict.reason,
      });
      pool.exclude(received.peer);
      // A forged block is never an accident: well over the limit at once.
      for (let i = 0; i < 4; i++)
        transport.report(received.peer, `block sync: ${verdict.reason}`, "major");
      return state;
    }
    const { stored } = verdict;
    const problem = await executor.validateBlock(state, stored);
    if (problem !== null) {
      throw new Error(
        `block ${received.height} has the signatures of more than two thirds of power but is not valid here: ${problem}`,
      );
    }
    const next = await executor.commitBlock({
      state,
      block: stored,
      seenCommit: received.commit,
      wal: null,
    });
    pool.advance();
    return next;
  }

  #onMessage(peer: PeerId, bytes: Uint8Array): void {
    if (this.#stopped) return;
    const message = decodeBlockSyncMessage(bytes);
    if (message.type === "statusRequest") this.#server.sendStatus(peer);
    else if (message.type === "blockRequest") this.#server.request(peer, message.height);
    else if (this.#pool !== null) this.#onAnswer(peer, message, this.#pool);
  }

  #onAnswer(
    peer: PeerId,
    message: Exclude<BlockSyncMessage, { type: "statusRequest" } | { type: "blockRequest" }>,
    pool: BlockPool,
  ): void {
    const { transport, clock } = this.#options;
    switch (message.type) {
      case "status":
        if (!pool.status(peer, message, clock.monotonicMs())) {
          transport.report(peer, "block sync: took back a height", "major");
        }
        break;
      case "noBlock":
        // Its status said otherwise, or it has pruned meanwhile: either way it is of no use now.
        pool.exclude(peer);
        transport.report(peer, "block sync: has not what it claimed", "minor");
        break;
      case "block": {
        const { height, block, commit } = message;
        if (!pool.receive({ height, peer, bytes: block, commit })) {
          transport.report(peer, "block sync: a block nobody asked for", "minor");
        }
        break;
      }
    }
    this.#wake?.();
  }

  #onPeer(peer: PeerId, change: "up" | "down"): void {
    if (this.#stopped) return;
    if (change === "up") {
      this.#server.sendStatus(peer);
      if (this.#pool !== null) {
        this.#options.transport.send(
          peer,
          "blocksync",
          encodeBlockSyncMessage({ type: "statusRequest" }),
        );
      }
    } else {
      this.#server.forget(peer);
      this.#pool?.remove(peer);
    }
    this.#wake?.();
  }

  /** Until something arrives or the next tick. */
  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.startTimer(tickMs, () => this.#wake?.());
      this.#wake = () => {
        timer.cancel();
        this.#wake = null;
        resolve();
      };
    });
  }
}

/** Whether the chain stands still while this node waits: alone, or with a third of power and more, it must vote at once. */
export function mustNotWait(state: ChainState, self: Uint8Array | null): boolean {
  const own =
    self === null ? undefined : state.validators.find(({ address }) => equalBytes(address, self));
  return own !== undefined && own.power * 3n >= totalPower(state.validators);
}

function isCaughtUp(
  pool: BlockPool,
  state: ChainState,
  time: { readonly nowMs: number; readonly startedMs: number },
): boolean {
  if (pool.peerCount === 0) return time.nowMs - Math.max(time.startedMs, pool.changedMs) >= loneMs;
  return (
    state.lastHeight >= pool.likelyMaxHeight(time.nowMs) && time.nowMs - pool.changedMs >= settleMs
  );
}

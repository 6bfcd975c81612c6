/**
 * Spreads pooled transactions in batches. A transaction goes to every peer but the one who brought it and those linked to that
 * one, who have it from there: in a full mesh each transaction crosses each link once. What got lost is offered again later.
 */
import type { Clock, PeerId, Transport } from "../host/ports.ts";
import {
  announcedPeersMax,
  mempoolBatchBytesMax,
  mempoolFlushMs,
  mempoolGreetingMax,
  mempoolReofferMax,
  mempoolReofferMs,
  txBatchCountMax,
} from "./limits.ts";
import { decodeMempoolMessage, encodeMempoolMessage } from "./messages.ts";

/** What the reactor needs of the transaction pool. */
export interface TxPool {
  /**
   * Offers a peer's transaction. The pool answers, once it is admitted, with `reactor.admitted(tx, from)`; a refusal is no fault
   * of the peer, whose state may differ by a block. Never throws.
   */
  admit(tx: Uint8Array, from: PeerId): void;
  /** The oldest pooled transactions. */
  list(limit: number): readonly Uint8Array[];
}

export interface MempoolReactorOptions {
  readonly transport: Transport;
  readonly clock: Pick<Clock, "monotonicMs" | "startTimer">;
}

interface Outgoing {
  readonly tx: Uint8Array;
  readonly from: PeerId | null;
}

export class MempoolReactor {
  readonly #transport: Transport;
  readonly #clock: Pick<Clock, "monotonicMs" | "startTimer">;
  /** Whom each peer says it is linked to. */
  readonly #links = new Map<PeerId, ReadonlySet<PeerId>>();
  #pool: TxPool | null = null;
  #outgoing: Outgoing[] = [];
  #outgoingBytes = 0;
  #flushTimer: { cancel(): void } | null = null;
  #reofferTimer: { cancel(): void } | null = null;
  #announceTimer: { cancel(): void } | null = null;
  /** What was oldest in the pool a moment ago; only what is still there is offered again. */
  #wasOldest: ReadonlySet<Uint8Array> = new Set();
  #turn = 0;

  /** Ignores peers' transactions until `start`. */
  constructor(options: MempoolReactorOptions) {
    this.#transport = options.transport;
    this.#clock = options.clock;
    options.transport.onMessage("mempool", (peer, bytes) => this.#onMessage(peer, bytes));
    options.transport.onPeer((peer, change) => this.#onPeer(peer, change));
    for (const { id } of options.transport.peers()) this.#onPeer(id, "up");
  }

  start(pool: TxPool): void {
    this.#pool = pool;
    this.#reofferTimer = this.#clock.startTimer(mempoolReofferMs, () => this.#onReoffer());
    for (const peer of this.#links.keys()) this.#greet(peer);
  }

  stop(): void {
    this.#pool = null;
    for (const timer of [this.#flushTimer, this.#reofferTimer, this.#announceTimer])
      timer?.cancel();
    this.#flushTimer = null;
    this.#reofferTimer = null;
    this.#announceTimer = null;
    this.#outgoing = [];
    this.#outgoingBytes = 0;
  }

  /** The pool took a transaction; `from` names the peer who brought it, null a client of this node. */
  admitted(tx: Uint8Array, from: PeerId | null): void {
    if (this.#pool === null || this.#links.size === 0) return;
    this.#outgoing.push({ tx, from });
    this.#outgoingBytes += tx.length;
    if (this.#outgoingBytes >= mempoolBatchBytesMax || this.#outgoing.length >= txBatchCountMax)
      this.#flush();
    else {
      this.#flushTimer ??= this.#clock.startTimer(mempoolFlushMs, () => {
        this.#flushTimer = null;
        this.#flush();
      });
    }
  }

  /**
   * To every peer, whoever brought them and whatever links it has: what votes name, which the next proposer must have. A peer that claims links it
   * makes no use of could otherwise keep a transaction from all of them.
   */
  push(txs: readonly Uint8Array[]): void {
    if (this.#pool === null) return;
    // Encoded once: they may be some megabytes, and the thread that does it is about to vote.
    const frames = [...framesOf(txs)];
    for (const peer of this.#links.keys()) this.#sendFrames(peer, frames);
  }

  #flush(): void {
    const outgoing = this.#outgoing;
    if (outgoing.length === 0) return;
    this.#outgoing = [];
    this.#outgoingBytes = 0;
    // Peers who get everything share one encoding; in a full mesh that is all of them.
    let whole: Uint8Array | null = null;
    for (const [peer, links] of this.#links) {
      const txs = outgoing
        .filter(({ from }) => from === null || (from !== peer && !links.has(from)))
        .map(({ tx }) => tx);
      if (txs.length === 0) continue;
      if (txs.length === outgoing.length) {
        whole ??= encodeMempoolMessage({ type: "txs", txs });
        this.#transport.send(peer, "mempool", whole);
      } else {
        this.#transport.send(peer, "mempool", encodeMempoolMessage({ type: "txs", txs }));
      }
    }
  }

  #onMessage(peer: PeerId, bytes: Uint8Array): void {
    if (!this.#links.has(peer)) return;
    const message = decodeMempoolMessage(bytes);
    if (message.type === "peers") {
      this.#links.set(peer, new Set(message.peers));
      return;
    }
    const pool = this.#pool;
    if (pool === null) return;
    for (const tx of message.txs) pool.admit(tx, peer);
  }

  #onPeer(peer: PeerId, change: "up" | "down"): void {
    if (change === "up") {
      this.#links.set(peer, new Set());
      if (this.#pool !== null) this.#greet(peer);
    } else {
      this.#links.delete(peer);
    }
    // Several changes at once, as at start, are announced once.
    this.#announceTimer ??= this.#clock.startTimer(mempoolFlushMs, () => {
      this.#announceTimer = null;
      const peers = [...this.#links.keys()].slice(0, announcedPeersMax);
      this.#transport.broadcast("mempool", encodeMempoolMessage({ type: "peers", peers }));
    });
  }

  #greet(peer: PeerId): void {
    this.#sendFrames(peer, framesOf(this.#pool?.list(mempoolGreetingMax) ?? []));
  }

  #onReoffer(): void {
    const pool = this.#pool;
    if (pool === null) return;
    const oldest = pool.list(mempoolReofferMax);
    const peers = [...this.#links.keys()];
    const peer = peers[this.#turn++ % Math.max(1, peers.length)];
    if (peer !== undefined) {
      this.#sendFrames(peer, framesOf(oldest.filter((tx) => this.#wasOldest.has(tx))));
    }
    this.#wasOldest = new Set(oldest);
    this.#reofferTimer = this.#clock.startTimer(mempoolReofferMs, () => this.#onReoffer());
  }

  /** Until its queue is full. */
  #sendFrames(peer: PeerId, frames: Iterable<Uint8Array>): void {
    for (const frame of frames) if (!this.#transport.send(peer, "mempool", frame)) return;
  }
}

/** Messages with these, in batches. */
function* framesOf(txs: readonly Uint8Array[]): Iterable<Uint8Array> {
  let batch: Uint8Array[] = [];
  let bytes = 0;
  for (const tx of txs) {
    const isFull = bytes + tx.length > mempoolBatchBytesMax || batch.length >= txBatchCountMax;
    if (batch.length > 0 && isFull) {
      yield encodeMempoolMessage({ type: "txs", txs: batch });
      batch = [];
      bytes = 0;
    }
    batch.push(tx);
    bytes += tx.length;
  }
  if (batch.length > 0) yield encodeMempoolMessage({ type: "txs", txs: batch });
}

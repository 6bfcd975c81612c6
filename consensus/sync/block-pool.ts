/**
 * Who has which blocks, what is asked from whom, and what has come. Decides only; time is passed in and sending is the caller's.
 * A peer that breaks its word is dropped for the rest of the run, and what it owed or brought is asked from others.
 */
import type { Height } from "../core/types.ts";
import type { PeerId } from "../host/ports.ts";
import type { ExtendedCommit } from "../wire/types.ts";
import {
  blocksAheadMax,
  bytesAheadMax,
  doubtMs,
  hedgeMs,
  requestMs,
  requestsPerPeerMax,
} from "./limits.ts";

export interface ReceivedBlock {
  readonly height: Height;
  readonly peer: PeerId;
  readonly bytes: Uint8Array;
  readonly commit: ExtendedCommit;
}

export interface BlockRequest {
  readonly peer: PeerId;
  readonly height: Height;
}

interface SyncPeer {
  readonly id: PeerId;
  base: Height;
  height: Height;
  /** Open requests: height to time asked. */
  readonly asked: Map<Height, number>;
  /** Requests that another peer has answered first; a late answer to them is no fault. */
  readonly late: Set<Height>;
}

export class BlockPool {
  readonly #peers = new Map<PeerId, SyncPeer>();
  readonly #excluded = new Set<PeerId>();
  readonly #received = new Map<Height, ReceivedBlock>();
  #receivedBytes = 0;
  #next: Height;
  /** When the set of peers with a known height last grew. */
  #changedMs: number;

  /** `next`: the first height wanted. */
  constructor(next: Height, nowMs: number) {
    this.#next = next;
    this.#changedMs = nowMs;
  }

  get next(): Height {
    return this.#next;
  }

  get peerCount(): number {
    return this.#peers.size;
  }

  get changedMs(): number {
    return this.#changedMs;
  }

  /** Highest block any peer still trusted claims to have; 0 without peers. */
  get maxHeight(): Height {
    let max = 0;
    for (const peer of this.#peers.values()) max = Math.max(max, peer.height);
    return max;
  }

  /**
   * The same without peers that owe a block for too long, unless there is no other: a claim that nobody can substantiate must
   * not keep a node out of consensus, which feeds it in any case.
   */
  likelyMaxHeight(nowMs: number): Height {
    let max = -1;
    for (const peer of this.#peers.values()) {
      const owes = [...peer.asked.values()].some((askedMs) => nowMs - askedMs >= doubtMs);
      if (!owes) max = Math.max(max, peer.height);
    }
    return max < 0 ? this.maxHeight : max;
  }

  /** False: the peer took back a height it had claimed and is dropped. */
  status(
    id: PeerId,
    claim: { readonly base: Height; readonly height: Height },
    nowMs: number,
  ): boolean {
    if (this.#excluded.has(id)) return true;
    const peer = this.#peers.get(id);
    if (peer === undefined) {
      this.#peers.set(id, {
        id,
        base: claim.base,
        height: claim.height,
        asked: new Map(),
        late: new Set(),
      });
      this.#changedMs = nowMs;
      return true;
    }
    // Pruning raises a base; nothing honest lowers a height, and waiting for one that was taken back would never end.
    if (claim.height < peer.height) {
      this.exclude(id);
      return false;
    }
    peer.base = claim.base;
    peer.height = claim.height;
    return true;
  }

  /** The link is gone; the peer may come back with a new status. */
  remove(id: PeerId): void {
    this.#peers.delete(id);
  }

  /** Not asked again in this run; what it brought and nobody has judged yet is asked again. */
  exclude(id: PeerId): void {
    this.#peers.delete(id);
    this.#excluded.add(id);
    for (const block of [...this.#received.values()]) if (block.peer === id) this.#drop(block);
  }

  /** False: nobody asked the peer for it (or not any more). */
  receive(block: ReceivedBlock): boolean {
    const peer = this.#peers.get(block.peer);
    if (peer?.asked.delete(block.height) !== true && peer?.late.delete(block.height) !== true)
      return false;
    if (block.height < this.#next || this.#received.has(block.height)) return true;
    this.#received.set(block.height, block);
    this.#receivedBytes += block.bytes.length;
    return true;
  }

  /** The next block to apply, when it has come. */
  first(): ReceivedBlock | null {
    return this.#received.get(this.#next) ?? null;
  }

  /** The first block has been applied. */
  advance(): void {
    const block = this.first();
    if (block !== null) this.#drop(block);
    for (const peer of this.#peers.values()) {
      if (peer.asked.delete(this.#next)) peer.late.add(this.#next);
      // Answers later than a whole window are not worth remembering.
      for (const height of peer.late)
        if (height < this.#next - blocksAheadMax) peer.late.delete(height);
    }
    this.#next += 1;
  }

  /** Peers that have let a request run out; they are excluded. */
  takeOverdue(nowMs: number): readonly PeerId[] {
    const overdue: PeerId[] = [];
    for (const peer of this.#peers.values()) {
      for (const askedMs of peer.asked.values()) {
        if (nowMs - askedMs < requestMs) continue;
        overdue.push(peer.id);
        break;
      }
    }
    for (const id of overdue) this.exclude(id);
    return overdue;
  }

  /** What to ask now; counted as asked. */
  takeRequests(nowMs: number): readonly BlockRequest[] {
    const requests: BlockRequest[] = [];
    const last = Math.min(this.maxHeight, this.#next + blocksAheadMax - 1);
    for (let height = this.#next; height <= last; height++) {
      if (this.#received.has(height)) continue;
      // The block everything waits for is asked for whatever is held already.
      if (height > this.#next && this.#receivedBytes >= bytesAheadMax) break;
      const askers = [...this.#peers.values()].filter((peer) => peer.asked.has(height));
      if (askers.length > 0 && !this.#isHedged(askers, height, nowMs)) continue;
      const peer = this.#leastBusy(height);
      if (peer === null) continue;
      peer.asked.set(height, nowMs);
      requests.push({ peer: peer.id, height });
    }
    return requests;
  }

  /** The request could not be sent. */
  cancel({ peer, height }: BlockRequest): void {
    this.#peers.get(peer)?.asked.delete(height);
  }

  #isHedged(askers: readonly SyncPeer[], height: Height, nowMs: number): boolean {
    return (
      height === this.#next &&
      askers.length === 1 &&
      nowMs - (askers[0]?.asked.get(height) ?? nowMs) >= hedgeMs
    );
  }

  #leastBusy(height: Height): SyncPeer | null {
    let best: SyncPeer | null = null;
    for (const peer of this.#peers.values()) {
      if (peer.base > height || peer.height < height || peer.asked.has(height)) continue;
      if (peer.asked.size >= requestsPerPeerMax) continue;
      if (best === null || peer.asked.size < best.asked.size) best = peer;
    }
    return best;
  }

  #drop(block: ReceivedBlock): void {
    if (this.#received.delete(block.height)) this.#receivedBytes -= block.bytes.length;
  }
}

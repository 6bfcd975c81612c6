/**
 * Bytes of transactions that have no place in the pool, the last ones that came. Another validator may have admitted and named one of them (of two with
 * the same nonce each half of the network takes the one that came first), and then a proposer that kept no bytes could only make an empty block.
 *
 * Who brings them has a share, each peer one, this node's clients together one, and all peers that are not linked now one: while there is no room, the oldest of
 * whoever has most goes. So who floods it loses its own, and of a peer that has no more than bytesMax by the number of shares nothing is lost.
 */
import { ASIDE_ENTRY_BYTES } from "./limits.ts";

export class SetAside {
  readonly #bytesMax: number;
  /** Of what was brought by peers that are gone, also when it is refused only later. */
  readonly #gone = noShare();
  /** By linked peer, null this node's clients. */
  readonly #shares = new Map<string | null, Share>([[null, noShare()]]);
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** `origin`: the peer who brought it, null a client. Each of several who bring the same has it in its share, or one could push it out for another. */
  add(key: string, tx: Uint8Array, origin: string | null): void {
    const share = this.#shares.get(origin) ?? this.#gone;
    if (share.txs.has(key)) return;
    // A copy: they may be part of a frame that is a hundred times as long.
    this.#put(share, key, this.find(key) ?? tx.slice());
    while (this.#bytes > this.#bytesMax) this.#dropOldest(this.#largest());
  }

  find(key: string): Uint8Array | undefined {
    for (const { txs } of this.#shares.values()) {
      const tx = txs.get(key);
      if (tx !== undefined) return tx;
    }
    return this.#gone.txs.get(key);
  }

  /** From now on the peer has a share of its own; or none any more: those who come and go under ever new names have one together. */
  onPeer(peer: string, change: "up" | "down"): void {
    if (change === "up") {
      if (!this.#shares.has(peer)) this.#shares.set(peer, noShare());
      return;
    }
    const share = this.#shares.get(peer);
    if (share === undefined) return;
    this.#shares.delete(peer);
    this.#bytes -= share.bytes;
    for (const [key, tx] of share.txs) if (!this.#gone.txs.has(key)) this.#put(this.#gone, key, tx);
  }

  #put(share: Share, key: string, tx: Uint8Array): void {
    share.txs.set(key, tx);
    share.bytes += costOf(tx);
    this.#bytes += costOf(tx);
  }

  #largest(): Share {
    let largest = this.#gone;
    for (const share of this.#shares.values()) if (share.bytes > largest.bytes) largest = share;
    return largest;
  }

  #dropOldest(share: Share): void {
    const next = share.oldest.next();
    // Of the largest share, which has something.
    if (next.done === true) return;
    const [key, tx] = next.value;
    share.txs.delete(key);
    share.bytes -= costOf(tx);
    this.#bytes -= costOf(tx);
  }
}

/** What it takes of a share. */
function costOf({ length }: Uint8Array): number {
  return ASIDE_ENTRY_BYTES + length;
}

interface Share {
  /** Oldest first. */
  readonly txs: Map<string, Uint8Array>;
  /** Stands behind all that was dropped: a new one would pass over their empty places each time. */
  readonly oldest: Iterator<[string, Uint8Array]>;
  /** As if each share had its own copy. */
  bytes: number;
}

function noShare(): Share {
  const txs = new Map<string, Uint8Array>();
  return { txs, oldest: txs.entries(), bytes: 0 };
}

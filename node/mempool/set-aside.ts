/**
 * Bytes of transactions that have no place in the pool, the last ones that came. Another validator may have admitted and named one of them (of two with
 * the same nonce each half of the network takes the one that came first), and then a proposer that kept no bytes could only make an empty block.
 */
export class SetAside {
  readonly #bytesMax: number;
  readonly #txs = new Map<string, Uint8Array>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(key: string, tx: Uint8Array): void {
    if (this.#txs.has(key)) return;
    // A copy: they may be part of a frame that is a hundred times as long.
    this.#txs.set(key, tx.slice());
    this.#bytes += tx.length;
    for (const [oldest, { length }] of this.#txs) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#txs.delete(oldest);
      this.#bytes -= length;
    }
  }

  find(key: string): Uint8Array | undefined {
    return this.#txs.get(key);
  }
}

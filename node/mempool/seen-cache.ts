/** The newest `max` transaction hashes, as latin-1 text. Adding one that is there keeps its place. */
export class SeenCache {
  readonly #max: number;
  readonly #hashes = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  /** False when it was there already. */
  add(hash: string): boolean {
    if (this.#hashes.has(hash)) return false;
    this.#hashes.add(hash);
    if (this.#hashes.size > this.#max) {
      for (const oldest of this.#hashes) {
        this.#hashes.delete(oldest);
        break;
      }
    }
    return true;
  }

  delete(hash: string): void {
    this.#hashes.delete(hash);
  }
}

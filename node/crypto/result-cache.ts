/** Bounded memory of yes-or-no answers. Two generations: when the young one is full it becomes the old one, and the old one is dropped. */

export class ResultCache {
  readonly #entriesMax: number;
  #young = new Map<string, boolean>();
  #old = new Map<string, boolean>();

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get(key: string): boolean | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  set(key: string, result: boolean): void {
    if (this.#entriesMax === 0) return;
    if (this.#young.size >= this.#entriesMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, result);
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }
}

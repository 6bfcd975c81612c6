/** A bounded memory in two generations: when the young one is full it becomes the old one, and the old one is dropped. */
export class Generations<K, V> {
  readonly #entriesMax: number;
  #young = new Map<K, V>();
  #old = new Map<K, V>();

  /** At most twice `entriesMax` entries; 0 remembers nothing. */
  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get(key: K): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  set(key: K, value: V): void {
    if (this.#entriesMax === 0) return;
    if (this.#young.size >= this.#entriesMax && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }
}

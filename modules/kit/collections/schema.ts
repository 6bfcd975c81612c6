/**
 * Typed collections. A schema is one module store: each collection takes a prefix (ascending, never reused), a name, a key codec and a
 * value codec. One registry numbers all collections of the app; the node uses it to load, commit and export state.
 */
import type { ReadContext, WriteContext } from "../context.ts";
import { assert } from "../errors.ts";
import { GAS } from "../gas.ts";
import type { CollectionId } from "../store.ts";
import type { KeyCodec, ValueCodec } from "./codecs.ts";
import { bytesToKey } from "./codecs.ts";

/** What the node needs of a collection to persist it. */
export interface CollectionInfo {
  readonly id: CollectionId;
  readonly store: string;
  readonly name: string;
  /** Latin-1 text of the prefix bytes; store key = prefix ‖ encoded key. null: derived from other collections and never committed. */
  readonly prefix: string | null;
  /** Encoding of what a branch holds, as latin-1 text; remembered with it. */
  encode(held: unknown): string;
  /** What a branch is to hold for this encoding. */
  decode(bytes: Uint8Array): unknown;
  /** The same for a value. */
  hold(value: unknown): unknown;
}

/**
 * A value as branches hold it, with what gas and commitment ask of it: both are made once for each value that was written, and found
 * without looking anything up.
 */
class Held<V> {
  readonly value: V;
  /** Encoded length; −1 until asked for. */
  size = -1;
  /** The encoding; null until asked for. */
  text: string | null = null;

  constructor(value: V) {
    this.value = value;
  }
}

function holding<V>(value: V): Held<V> {
  assert(value !== undefined, "a collection value may not be undefined");
  return new Held(value);
}

function textOf<V>(held: Held<V>, values: ValueCodec<V>): string {
  return (held.text ??= bytesToKey(values.encode(held.value)));
}

function sizeOf<V>(held: Held<V>, values: ValueCodec<V>): number {
  if (held.size < 0) held.size = values.size?.(held.value) ?? textOf(held, values).length;
  return held.size;
}

const presence: ValueCodec<true> = {
  encode: () => new Uint8Array(0),
  decode: () => true,
  size: () => 0,
};

export class Registry {
  readonly collections: CollectionInfo[] = [];

  /** A new module store. Two schemas of one store share its prefix space. */
  schema(store: string): Schema {
    return new Schema(this, store);
  }

  add(info: Omit<CollectionInfo, "id">): CollectionId {
    for (const other of this.collections) {
      if (other.store !== info.store || other.prefix === null || info.prefix === null) continue;
      const overlap = other.prefix.startsWith(info.prefix) || info.prefix.startsWith(other.prefix);
      assert(!overlap, `store ${info.store}: prefix of ${info.name} overlaps ${other.name}`);
    }
    const id = this.collections.length;
    this.collections.push({ id, ...info });
    return id;
  }
}

export interface RangeOptions {
  readonly descending?: boolean;
}

export interface MapCollection<K, V> {
  readonly id: CollectionId;
  get(ctx: ReadContext, key: K): V | undefined;
  has(ctx: ReadContext, key: K): boolean;
  set(ctx: WriteContext, key: K, value: V): void;
  /** As `set` where the key holds nothing, and faster. Else false, with nothing changed or charged. */
  add(ctx: WriteContext, key: K, value: V): boolean;
  delete(ctx: WriteContext, key: K): void;
  /** All entries in key order. Stop by returning true. Do not write to this collection from the callback: collect first. */
  each(ctx: ReadContext, visit: (key: K, value: V) => unknown, options?: RangeOptions): void;
  /** Entries whose encoded key starts with `prefix` (from a key codec of the leading parts). */
  eachWithPrefix(
    ctx: ReadContext,
    prefix: string,
    visit: (key: K, value: V) => unknown,
    options?: RangeOptions,
  ): void;
  /** Entries with from ≤ encoded key < to, as encoded text. */
  eachBetween(
    ctx: ReadContext,
    from: string,
    to: string | undefined,
    visit: (key: K, value: V) => unknown,
    options?: RangeOptions,
  ): void;
  /** Deletes the first entries with encoded key < to, at most `count`, without reading their keys and values. Charges as `delete` does. */
  deleteBelow(ctx: WriteContext, to: string, count: number): void;
  size(ctx: ReadContext): number;
  /** As `eachWithPrefix`, but charges nothing: for structures derived from state, which are no part of consensus. */
  scan(ctx: ReadContext, prefix: string, visit: (value: V) => void): void;
}

export interface ItemCollection<V> {
  readonly id: CollectionId;
  get(ctx: ReadContext): V | undefined;
  /** Throws AssertionError when unset: for items that genesis always sets. */
  require(ctx: ReadContext): V;
  set(ctx: WriteContext, value: V): void;
  delete(ctx: WriteContext): void;
}

/** The smallest text greater than every text that starts with `prefix`, or undefined when there is none. */
export function prefixEnd(prefix: string): string | undefined {
  for (let i = prefix.length - 1; i >= 0; i--) {
    const code = prefix.charCodeAt(i);
    if (code < 255) return prefix.slice(0, i) + String.fromCharCode(code + 1);
  }
  return undefined;
}

export class Schema {
  readonly #registry: Registry;
  readonly #store: string;

  constructor(registry: Registry, store: string) {
    this.#registry = registry;
    this.#store = store;
  }

  map<K, V>(
    prefix: number | Uint8Array,
    name: string,
    keys: KeyCodec<K>,
    values: ValueCodec<V>,
  ): MapCollection<K, V> {
    const prefixText =
      typeof prefix === "number" ? bytesToKey(Uint8Array.of(prefix)) : bytesToKey(prefix);
    const id = this.#registry.add({
      store: this.#store,
      name,
      prefix: prefixText,
      encode: (held) => textOf(held as Held<V>, values),
      decode: (bytes) => new Held(values.decode(bytes)),
      hold: (value) => new Held(value as V),
    });
    return createMap(id, prefixText.length, keys, values);
  }

  /**
   * A set that branches hold and nobody commits: whoever keeps it also writes a record it can be made from again, and does so when a branch
   * was loaded. Charges as a committed one would.
   */
  derivedSet<K>(name: string, keys: KeyCodec<K>): MapCollection<K, true> {
    const id = this.#registry.add({
      store: this.#store,
      name,
      prefix: null,
      encode: () => "",
      decode: () => new Held(true),
      hold: (value) => new Held(value as true),
    });
    return createMap(id, 1, keys, presence);
  }

  item<V>(prefix: number | Uint8Array, name: string, values: ValueCodec<V>): ItemCollection<V> {
    const unit: KeyCodec<null> = {
      encode: () => "",
      decode: (_text, offset) => [null, offset],
    };
    const map = this.map(prefix, name, unit, values);
    return {
      id: map.id,
      get: (ctx) => map.get(ctx, null),
      require(ctx) {
        const value = map.get(ctx, null);
        assert(value !== undefined, `${name} is not set`);
        return value;
      },
      set: (ctx, value) => map.set(ctx, null, value),
      delete: (ctx) => map.delete(ctx, null),
    };
  }
}

function createMap<K, V>(
  id: CollectionId,
  prefixLength: number,
  keys: KeyCodec<K>,
  values: ValueCodec<V>,
): MapCollection<K, V> {
  const eachBetween: MapCollection<K, V>["eachBetween"] = (ctx, from, to, visit, options) => {
    ctx.state.range(
      id,
      from,
      to,
      (text, found) => {
        const held = found as Held<V>;
        const size = prefixLength + text.length + sizeOf(held, values);
        ctx.gas.consume(GAS.iterNextFlat + GAS.readPerByte * size, "IterNextFlat");
        return visit(keys.decode(text, 0)[0], held.value);
      },
      options?.descending ?? false,
    );
  };
  const charge = (ctx: WriteContext, text: string, held: Held<V>): void => {
    const size = prefixLength + text.length + sizeOf(held, values);
    ctx.gas.consume(GAS.writeFlat + GAS.writePerByte * size, "WriteFlat");
  };
  return {
    id,
    get(ctx, key) {
      const text = keys.encode(key);
      const held = ctx.state.get(id, text) as Held<V> | undefined;
      const size = held === undefined ? 0 : prefixLength + text.length + sizeOf(held, values);
      ctx.gas.consume(GAS.readFlat + GAS.readPerByte * size, "ReadFlat");
      return held?.value;
    },
    has(ctx, key) {
      ctx.gas.consume(GAS.hasFlat, "Has");
      return ctx.state.get(id, keys.encode(key)) !== undefined;
    },
    set(ctx, key, value) {
      const text = keys.encode(key);
      const held = holding(value);
      charge(ctx, text, held);
      ctx.state.set(id, text, held);
    },
    add(ctx, key, value) {
      const text = keys.encode(key);
      const held = holding(value);
      if (!ctx.state.add(id, text, held)) return false;
      charge(ctx, text, held);
      return true;
    },
    delete(ctx, key) {
      ctx.gas.consume(GAS.deleteFlat, "Delete");
      ctx.state.delete(id, keys.encode(key));
    },
    each: (ctx, visit, options) => eachBetween(ctx, "", undefined, visit, options),
    eachWithPrefix: (ctx, prefix, visit, options) =>
      eachBetween(ctx, prefix, prefixEnd(prefix), visit, options),
    eachBetween,
    deleteBelow(ctx, to, count) {
      const found: string[] = [];
      ctx.state.range(id, "", to, (text) => {
        found.push(text);
        return found.length >= count;
      });
      for (const text of found) {
        ctx.gas.consume(GAS.deleteFlat, "Delete");
        ctx.state.delete(id, text);
      }
    },
    size: (ctx) => ctx.state.size(id),
    scan(ctx, prefix, visit) {
      ctx.state.range(id, prefix, prefixEnd(prefix), (_text, found) =>
        visit((found as Held<V>).value),
      );
    },
  };
}

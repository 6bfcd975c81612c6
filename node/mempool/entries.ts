/**
 * What the pool holds, in the order of a proposer: unordered transactions by lane, then sequenced ones as they came. Each lane is kept apart,
 * so that neither a proposal nor a recheck walks a whole backlog.
 */
import type { Nameable } from "@keel/consensus/host/ports";
import { keyOfHash } from "@keel/modules/oracle/lists/keys";
import { isUrgent } from "../app/lanes.ts";
import { isNameableAt } from "../app/listing.ts";
import { Turns } from "./turns.ts";

export interface Entry {
  readonly tx: Uint8Array;
  /** Latin-1 text of the transaction's hash. */
  readonly hash: string;
  /** The peer who brought it, null a client. */
  readonly origin: string | null;
  /** Whose it is, in any text. */
  readonly signer: string;
  readonly lane: number;
  readonly sequenced: boolean;
  readonly gasWanted: bigint;
  /** Undefined: no vote may name it. */
  readonly nameable: Nameable | undefined;
  readonly admittedAtHeight: number;
}

type NameableAt = Parameters<typeof isNameableAt>[1];

const FRAMING_BYTES = 6;

export class PoolEntries {
  /** Oldest first. */
  readonly #all = new Map<string, Entry>();
  readonly #lanes: Map<string, Entry>[] = [];
  readonly #sequenced = new Map<string, Entry>();
  /** Those of the last blocks that votes may name, oldest first, */
  readonly #young = new Map<string, Entry>();
  /** and by signer: urgent ones, others. */
  readonly #turns = { urgent: new Turns<Entry>(), others: new Turns<Entry>() };
  /** All, by the first bytes of their hashes. */
  readonly #byKey = new Map<string, Entry>();
  #bytes = 0;

  get size(): number {
    return this.#all.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(entry: Entry): void {
    // Never twice: it may come again once it is no longer remembered as seen.
    this.remove(entry.hash);
    this.#all.set(entry.hash, entry);
    this.#groupOf(entry).set(entry.hash, entry);
    this.#byKey.set(keyOfHash(entry.hash), entry);
    if (entry.nameable !== undefined) {
      this.#young.set(entry.hash, entry);
      this.#turnsOf(entry).add(entry);
    }
    this.#bytes += entry.tx.length;
  }

  remove(hash: string): void {
    const entry = this.#all.get(hash);
    if (entry === undefined) return;
    this.#all.delete(hash);
    this.#groupOf(entry).delete(hash);
    this.#byKey.delete(keyOfHash(entry.hash));
    this.#grow(entry);
    this.#bytes -= entry.tx.length;
  }

  /** All of them, oldest first; entries may be removed meanwhile. */
  oldest(): Iterable<Entry> {
    return this.#all.values();
  }

  /** Those that a vote on this block may name, without those that `age` has passed, turn by turn. */
  young(at: NameableAt): { readonly urgent: Iterable<Entry>; readonly others: Iterable<Entry> } {
    const { others, urgent } = this.#turns;
    return { urgent: this.#nameable(urgent, at), others: this.#nameable(others, at) };
  }

  /** Whose time has passed is young no more, so that it is met once. */
  *#nameable(turns: Turns<Entry>, at: NameableAt): Iterable<Entry> {
    for (const entry of turns.all()) {
      if (entry.nameable !== undefined && isNameableAt(entry.nameable, at)) yield entry;
      else this.#grow(entry);
    }
  }

  /** What was admitted at this height or before is young no more. */
  age(height: number): void {
    for (const entry of this.#young.values()) {
      if (entry.admittedAtHeight > height) break;
      this.#grow(entry);
    }
  }

  /** Young no more, whatever its time. */
  outgrown(hash: string): void {
    const entry = this.#all.get(hash);
    if (entry !== undefined) this.#grow(entry);
  }

  /** By its key in inclusion lists. */
  find(key: string): Entry | undefined {
    return this.#byKey.get(key);
  }

  sequenced(): readonly Entry[] {
    return [...this.#sequenced.values()];
  }

  /** The first `count` unordered ones. */
  firstUnordered(count: number): readonly Entry[] {
    const out: Entry[] = [];
    for (const lane of this.#lanes) {
      for (const entry of lane?.values() ?? []) {
        if (out.length >= count) return out;
        out.push(entry);
      }
    }
    return out;
  }

  /** Newest first of the lanes after `lane`, the last lane first. */
  displaceable(lane: number): readonly Entry[] {
    return [...this.#all.values()]
      .filter((entry) => entry.lane > lane)
      .reverse()
      .sort((a, b) => b.lane - a.lane);
  }

  /**
   * Candidates for a proposal within `maxBytes`. Of each lane no more than a whole block of `maxGas` could take, since how much of a block
   * a lane gets is the application's to say; null: unlimited.
   */
  reap(maxBytes: number, maxGas: bigint | null): readonly Uint8Array[] {
    const out: Uint8Array[] = [];
    let room = maxBytes;
    for (const group of [...this.#lanes, this.#sequenced]) {
      let gas = 0n;
      for (const { tx, gasWanted } of group?.values() ?? []) {
        room -= tx.length + FRAMING_BYTES;
        if (room < 0) return out;
        out.push(tx);
        gas += gasWanted;
        if (maxGas !== null && gas >= maxGas) break;
      }
    }
    return out;
  }

  /** Young no more. */
  #grow(entry: Entry): void {
    if (this.#young.delete(entry.hash)) this.#turnsOf(entry).remove(entry);
  }

  #turnsOf({ lane }: Entry): Turns<Entry> {
    return isUrgent(lane) ? this.#turns.urgent : this.#turns.others;
  }

  #groupOf({ lane, sequenced }: Entry): Map<string, Entry> {
    return sequenced ? this.#sequenced : (this.#lanes[lane] ??= new Map());
  }
}

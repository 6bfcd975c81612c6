/**
 * The transaction pool. Admission: bounds, duplicate, CheckTx, then its lane. Order for a proposer: unordered transactions by lane,
 * then sequenced ones as they came, so that a sender's sequence is never broken. One queue serialises checks and block updates:
 * CheckTx state is reset by each commit, and what stays is checked again on it; from before the commit until then nothing is admitted.
 */
import type { Application, CheckTxResult, Mempool } from "@keel/consensus/host/ports";
import type { ExecTxResult } from "@keel/consensus/wire/abci";
import { decodeTx } from "@keel/modules/auth/tx";
import { keyOfHash } from "@keel/modules/oracle/lists/keys";
import { bytesToLatin1 } from "@keel/proto/bytes/compare";
import { sha256, sha256Each } from "@keel/proto/bytes/sha256";
import { asContained } from "../app/faults.ts";
import { LISTED_TX_BYTES_MAX } from "../app/limits.ts";
import type { PendingSource, YoungTxs } from "../app/listing.ts";
import { type Entry, PoolEntries } from "./entries.ts";
import type { PoolLimits } from "./limits.ts";
import {
  BATCHES_UNDER_WAY_MAX,
  CHECK_BATCH_MAX,
  POOL_LIMITS,
  RECHECK_MIN,
  RECHECK_PER_BLOCK_TX,
} from "./limits.ts";
import { SeenCache } from "./seen-cache.ts";
import { SetAside } from "./set-aside.ts";

export type Refusal = "duplicate" | "full" | "tooLarge";

export type Submission =
  | { readonly kind: "checked"; readonly hash: Uint8Array; readonly result: CheckTxResult }
  | {
      readonly kind: "refused";
      readonly hash: Uint8Array;
      readonly refusal: Refusal;
      readonly reason: string;
    };

export interface PoolOptions {
  readonly app: Pick<Application, "checkTx">;
  readonly limits?: Partial<PoolLimits>;
  /** Verifies the signatures of a batch ahead of its checks, on workers. Changes nothing but speed. */
  readonly prefill?: (txs: readonly Uint8Array[]) => Promise<void>;
  /** A transaction entered the pool; `origin` names the peer who brought it, null a client. */
  readonly onAdmitted?: (tx: Uint8Array, origin: string | null) => void;
  /** What validators name, by the first bytes of hashes. Told of all that comes, before anything else; has what has to stay at hand whatever becomes of it here. */
  readonly named?: {
    arrived(key: string, tx: Uint8Array): void;
    find(key: string): Uint8Array | undefined;
  };
}

const none: Uint8Array = new Uint8Array(0);

interface Pending {
  readonly tx: Uint8Array;
  readonly hash: Uint8Array;
  readonly key: string;
  readonly origin: string | null;
  resolve(submission: Submission): void;
  reject(error: unknown): void;
}

export class TransactionPool implements Mempool, PendingSource {
  readonly #options: PoolOptions;
  readonly #limits: PoolLimits;
  readonly #seen: SeenCache;
  readonly #entries = new PoolEntries();
  readonly #aside: SetAside;
  readonly #waiting: (() => void)[] = [];
  #height = 0;
  #pending: Pending[] = [];
  /** All that wait for their check, also of batches under way, by the first bytes of their hashes. */
  readonly #unchecked = new Map<string, Uint8Array>();
  /** Of all that wait for their check, also of batches under way. */
  #pendingBytes = 0;
  #turn: Promise<void> = Promise.resolve();
  /** A batch is being gathered; so many are on their way to their checks, this one last. */
  #gathering = false;
  #underWay = 0;
  #latest: Promise<void> = Promise.resolve();
  /** Ends the exclusive turn that `lock` began. */
  #unlock: (() => void) | null = null;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#limits = { ...POOL_LIMITS, ...options.limits };
    this.#seen = new SeenCache(this.#limits.cacheMax);
    this.#aside = new SetAside(this.#limits.asideBytesMax);
  }

  /** Rejects only when the application breaks; every refusal is a value. */
  submit(tx: Uint8Array, origin: string | null): Promise<Submission> {
    const hash = sha256(tx);
    const refuse = (refusal: Refusal, reason: string): Promise<Submission> =>
      Promise.resolve({ kind: "refused", hash, refusal, reason });
    if (tx.length > this.#limits.txBytesMax) {
      return refuse(
        "tooLarge",
        `tx too large; expected at most ${this.#limits.txBytesMax} bytes, got ${tx.length}`,
      );
    }
    const key = bytesToLatin1(hash);
    this.#options.named?.arrived(keyOfHash(key), tx);
    const noRoom = this.#intakeProblem(tx);
    if (noRoom !== null) {
      // What cannot be checked may be named before it comes again.
      if (isUnordered(tx)) this.#setAside({ key, tx, origin });
      return refuse("full", noRoom);
    }
    if (!this.#seen.add(key)) return refuse("duplicate", "tx already exists in cache");
    return new Promise((resolve, reject) => {
      this.#pending.push({ tx, hash, key, origin, resolve, reject });
      this.#pendingBytes += tx.length;
      this.#unchecked.set(keyOfHash(key), tx);
      this.#drain();
    });
  }

  reap(maxBytes: number, maxGas: bigint | null): readonly Uint8Array[] {
    return this.#entries.reap(maxBytes, maxGas);
  }

  size(): number {
    return this.#entries.size;
  }

  bytes(): number {
    return this.#entries.bytes;
  }

  /** Those that came in the last few blocks and may be named, in turns, for this node's inclusion lists. */
  young(at: Parameters<PendingSource["young"]>[0]): YoungTxs {
    return this.#entries.young(at);
  }

  outgrown(hash: string): void {
    this.#entries.outgrown(hash);
  }

  /** By the first bytes of its hash, pooled, named, set aside or waiting for its check: for a block that must hold it. */
  find(key: string): Uint8Array | undefined {
    return (
      this.#entries.find(key)?.tx ??
      this.#unchecked.get(key) ??
      this.#options.named?.find(key) ??
      this.#aside.find(key)
    );
  }

  /** A peer that is linked has a share of its own of what is set aside. */
  onPeer(peer: string, change: "up" | "down"): void {
    this.#aside.onPeer(peer, change);
  }

  /** The oldest `limit` transactions, for people and peers to see. */
  list(limit: number): readonly Uint8Array[] {
    const out: Uint8Array[] = [];
    for (const entry of this.#entries.oldest()) {
      if (out.length >= limit) break;
      out.push(entry.tx);
    }
    return out;
  }

  onAvailable(callback: () => void): void {
    if (this.#entries.size > 0) callback();
    else this.#waiting.push(callback);
  }

  lock(): Promise<void> {
    return new Promise((locked) => {
      void this.#exclusive(
        () =>
          new Promise((unlock) => {
            this.#unlock = unlock;
            locked();
          }),
      );
    });
  }

  async update(
    height: number,
    txs: readonly Uint8Array[],
    results: readonly ExecTxResult[],
  ): Promise<void> {
    const unlock = this.#unlock;
    this.#unlock = null;
    if (unlock === null) return this.#exclusive(() => this.#update(height, txs, results));
    try {
      await this.#update(height, txs, results);
    } finally {
      unlock();
    }
  }

  async #update(
    height: number,
    txs: readonly Uint8Array[],
    results: readonly ExecTxResult[],
  ): Promise<void> {
    this.#height = height;
    this.#entries.age(height - this.#limits.youngBlocks);
    const hashes = sha256Each(txs, none);
    txs.forEach((_, i) => {
      const key = bytesToLatin1(hashes.subarray(32 * i, 32 * i + 32));
      // A failed one may be sent again once the account can pay; a successful one never.
      if (results[i]?.code === 0) this.#seen.add(key);
      else this.#seen.delete(key);
      this.#entries.remove(key);
    });
    for (const entry of this.#entries.oldest()) {
      if (height - entry.admittedAtHeight <= this.#limits.ttlBlocks) break;
      this.#forget(entry);
    }
    // Sequenced ones all: newer ones of their senders are checked on top of them. Of the others only those that may be proposed
    // next, or a backlog would cost its whole length with every block: as many as this block held and some more.
    const unordered = Math.max(RECHECK_MIN, Math.ceil(txs.length * RECHECK_PER_BLOCK_TX));
    const again = [...this.#entries.firstUnordered(unordered), ...this.#entries.sequenced()];
    for (const entry of again) {
      if ((await this.#options.app.checkTx(entry.tx, "recheck")).code !== 0) this.#forget(entry);
    }
    this.#announce();
  }

  /** Workers judge the signatures of the next batch while the checks of this one, and blocks, have the thread. */
  #drain(): void {
    if (this.#gathering || this.#underWay >= BATCHES_UNDER_WAY_MAX || this.#pending.length === 0)
      return;
    this.#gathering = true;
    // One macrotask later, so that everything already received joins the batch.
    setImmediate(() => {
      this.#gathering = false;
      this.#underWay++;
      this.#latest = this.#admit(this.#pending.splice(0, CHECK_BATCH_MAX), this.#latest);
      this.#drain();
    });
  }

  /** `before`: the batch that came first is also checked first. Never rejects. */
  async #admit(batch: readonly Pending[], before: Promise<void>): Promise<void> {
    let checked = 0;
    try {
      // Outside the turn: no block waits for a signature.
      await this.#options.prefill?.(batch.map((pending) => pending.tx));
      await before;
      await this.#exclusive(async () => {
        for (const pending of batch) {
          await this.#check(pending);
          checked++;
        }
      });
    } catch (error) {
      for (const pending of batch.slice(checked)) {
        this.#seen.delete(pending.key);
        this.#unchecked.delete(keyOfHash(pending.key));
        pending.reject(error);
      }
    }
    for (const { tx } of batch) this.#pendingBytes -= tx.length;
    this.#underWay--;
    this.#drain();
  }

  async #check(pending: Pending): Promise<void> {
    const { tx, hash, key, origin } = pending;
    const result = await this.#options.app.checkTx(tx, "new");
    const { nameable } = result;
    this.#unchecked.delete(keyOfHash(key));
    if (result.code !== 0) {
      this.#leave({ ...pending, nameable });
      pending.resolve({ kind: "checked", hash, result });
      return;
    }
    if (!this.#makeRoom(tx.length, result.lane)) {
      this.#leave({ ...pending, nameable });
      const reason = `mempool is full: number of txs ${this.#entries.size} (max: ${this.#limits.txsMax}), total txs bytes ${this.#entries.bytes} (max: ${this.#limits.bytesMax})`;
      pending.resolve({ kind: "refused", hash, refusal: "full", reason });
      return;
    }
    this.#entries.add({
      tx,
      hash: key,
      origin,
      signer: result.signer ?? "",
      lane: result.lane,
      sequenced: result.sender !== null,
      gasWanted: result.gasWanted,
      nameable,
      admittedAtHeight: this.#height,
    });
    this.#options.onAdmitted?.(tx, origin);
    pending.resolve({ kind: "checked", hash, result });
    this.#announce();
  }

  /** Drops the newest transactions of the lowest-priority lanes below `lane` until there is room. */
  #makeRoom(bytes: number, lane: number): boolean {
    const fits = (): boolean =>
      this.#entries.size < this.#limits.txsMax &&
      this.#entries.bytes + bytes <= this.#limits.bytesMax;
    if (fits()) return true;
    for (const entry of this.#entries.displaceable(lane)) {
      this.#forget(entry);
      if (fits()) return true;
    }
    return fits();
  }

  /** Dropped, and may come again. */
  #forget(entry: Entry): void {
    this.#entries.remove(entry.hash);
    this.#leave({ ...entry, key: entry.hash });
  }

  /** Not pooled: it may come again, and where others may name it a block may have to hold it all the same. */
  #leave(left: Pick<Pending, "key" | "tx" | "origin"> & Pick<Entry, "nameable">): void {
    this.#seen.delete(left.key);
    if (left.nameable !== undefined) this.#setAside(left);
  }

  #setAside({ key, tx, origin }: Pick<Pending, "key" | "tx" | "origin">): void {
    const short = keyOfHash(key);
    const isKept = this.#entries.find(short) ?? this.#options.named?.find(short);
    if (isKept === undefined && tx.length <= LISTED_TX_BYTES_MAX)
      this.#aside.add(short, tx, origin);
  }

  #intakeProblem({ length }: Uint8Array): string | null {
    if (this.#pending.length >= this.#limits.pendingMax)
      return `mempool is full: ${this.#pending.length} transactions wait for their check`;
    if (this.#pendingBytes + length > this.#limits.pendingBytesMax)
      return `mempool is full: ${this.#pendingBytes} bytes of transactions wait for their check`;
    return null;
  }

  #announce(): void {
    if (this.#entries.size === 0) return;
    for (const callback of this.#waiting.splice(0)) callback();
  }

  #exclusive(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

/** Whether it could be named, as far as can be told without a check. */
function isUnordered(tx: Uint8Array): boolean {
  try {
    return tx.length <= LISTED_TX_BYTES_MAX && decodeTx(tx).unordered;
  } catch (error) {
    asContained(error);
    return false;
  }
}

/**
 * What validators name travels with the votes that name it. Who hears a vote, its signature checked, sends the bytes of what it names to all its peers, at once or
 * when they come, whether or not its own pool has taken them: a vote is passed on later than that, so that a proposer that has the votes has the bytes, over
 * any number of links. Pools in between may be full, hold another transaction of the same nonce, or refuse its sender: ordinary gossip ends there. It also ends
 * with a peer that says it is linked to all and has brought a transaction to only some of them, since nobody sends it to the links of who brought it.
 *
 * Nobody but a validator can have anything passed on, each so many and so many bytes at a height, and none longer than an honest one names. What several name is paid for by the
 * first of them who can, so that no one can use up what others need. What was paid for also stays at hand while votes name it, wherever it came from: were it charged to
 * the peers who bring it, one validator's names would push out what others name.
 */
import { bytesToLatin1 } from "@keel/proto/bytes/compare";
import { LISTED_TX_BYTES_MAX } from "../app/limits.ts";
import type { VoteNames } from "../app/listing.ts";
import { HEARD_BLOCKS, NAMES_PER_VOTER_MAX, PASSED_BYTES_PER_VOTER_MAX } from "./limits.ts";

export interface NamedRelayOptions {
  /** Bytes at hand, by key: the pool's, and these. */
  find(key: string): Uint8Array | undefined;
  /** To every peer, at once. */
  push(txs: readonly Uint8Array[]): void;
  /** To every peer, with others that come in the next milliseconds. */
  pass(tx: Uint8Array): void;
}

interface Name {
  /** The last height whose votes had it, and the last for which it was sent; 0: none. */
  heardAt: number;
  sentAt: number;
  /** Whose votes on that height had it. */
  payers: Voter[];
  /** What was sent in the last HEARD_BLOCKS. */
  tx: Uint8Array | undefined;
}

/** What one validator's votes on one height have used. */
interface Voter {
  /** Names that nobody had before. */
  brought: number;
  /** Bytes of what was passed on for it. */
  bytes: number;
}

export class NamedRelay {
  readonly #options: NamedRelayOptions;
  readonly #names = new Map<string, Name>();
  /** Of the newest height and, for late votes, the one before. */
  readonly #voters = new Map<number, Map<string, Voter>>();
  #height = 0;

  constructor(options: NamedRelayOptions) {
    this.#options = options;
  }

  /** This node's own vote on the height names these; before the vote is sent. */
  named(height: number, keys: readonly string[]): void {
    this.#begin(height);
    this.#send(
      keys.map((key) => [key, this.#heard(height, key)]),
      () => true,
    );
  }

  /** Another validator's vote was heard. */
  heard({ height, voter, keys }: VoteNames): void {
    this.#begin(height);
    const voters = this.#voters.get(height);
    // Older than the last height: of no block that is still to come.
    if (voters === undefined) return;
    const id = bytesToLatin1(voter);
    const own = voters.get(id) ?? { brought: 0, bytes: 0 };
    voters.set(id, own);
    const names: [string, Name][] = [];
    for (const key of keys) {
      if (!this.#names.has(key) && ++own.brought > NAMES_PER_VOTER_MAX) break;
      const name = this.#heard(height, key);
      if (name.heardAt === height && !name.payers.includes(own)) name.payers.push(own);
      names.push([key, name]);
    }
    this.#send(names, pay);
  }

  /** Bytes came, whatever the pool makes of them. */
  arrived(key: string, tx: Uint8Array): void {
    const name = this.#names.get(key);
    if (name === undefined || name.sentAt >= name.heardAt) return;
    if (tx.length > LISTED_TX_BYTES_MAX || !pay(name, tx)) return;
    name.sentAt = name.heardAt;
    // A copy: they may be part of a frame that is a hundred times as long.
    name.tx ??= tx.slice();
    this.#options.pass(tx);
  }

  /** Bytes of what votes name, as far as they were passed on. */
  find(key: string): Uint8Array | undefined {
    return this.#names.get(key)?.tx;
  }

  #heard(height: number, key: string): Name {
    const name = this.#names.get(key) ?? { heardAt: 0, sentAt: 0, payers: [], tx: undefined };
    if (height > name.heardAt) {
      name.heardAt = height;
      name.payers = [];
    }
    this.#names.set(key, name);
    return name;
  }

  /** What is at hand and was not sent for the height: once, and with the votes of the next height again, should it have got lost. */
  #send(
    names: readonly (readonly [string, Name])[],
    isPaid: (name: Name, tx: Uint8Array) => boolean,
  ): void {
    const txs: Uint8Array[] = [];
    for (const [key, name] of names) {
      if (name.sentAt >= name.heardAt) continue;
      const tx = this.#options.find(key);
      if (tx === undefined || tx.length > LISTED_TX_BYTES_MAX || !isPaid(name, tx)) continue;
      name.sentAt = name.heardAt;
      name.tx = tx;
      txs.push(tx);
    }
    if (txs.length > 0) this.#options.push(txs);
  }

  #begin(height: number): void {
    if (height <= this.#height) return;
    this.#height = height;
    this.#voters.set(height, new Map());
    for (const old of this.#voters.keys()) if (old < height - 1) this.#voters.delete(old);
    for (const [key, name] of this.#names) {
      if (name.heardAt < height - HEARD_BLOCKS) this.#names.delete(key);
      else if (name.sentAt < height - HEARD_BLOCKS) name.tx = undefined;
    }
  }
}

/** By the first of those who name it that has so many bytes left. */
function pay({ payers }: Name, { length }: Uint8Array): boolean {
  const payer = payers.find(({ bytes }) => bytes + length <= PASSED_BYTES_PER_VOTER_MAX);
  if (payer === undefined) return false;
  payer.bytes += length;
  return true;
}

/**
 * Inclusion lists of a simulated network: what validators held when they voted and the last block left out. Now and then a proposer leaves out all that they
 * named, so that its block is empty and the next one begins with it.
 */
import { createRandom, type Random } from "@keel/modules/derivatives/random";
import { keysOf, txKeys } from "@keel/modules/oracle/lists/keys";
import type { PendingSource } from "@keel/node/app/listing";
import type { TestChain } from "@keel/node/app/testing/chain";
import { bytesToLatin1 } from "@keel/proto/bytes/compare";
import { sha256 } from "@keel/proto/bytes/sha256";
import { OracleVote } from "@keel/proto/gen/keel/oracle/v1/types";
import type { Sent } from "./traffic.ts";

const LEFT_OUT_EVERY = 9;

export class Lists {
  readonly #random: Random;
  /** What an empty block left to the next one. */
  #kept: readonly Sent[] = [];
  /** Named for it. */
  #overdue: readonly string[] = [];
  #young: readonly Uint8Array[] = [];

  constructor(seed: number) {
    this.#random = createRandom(seed);
  }

  /** For the application: what its vote may name. */
  readonly pending: PendingSource = {
    young: () => ({
      urgent: [],
      others: this.#young.map((tx) => ({ tx, hash: bytesToLatin1(sha256(tx)) })),
    }),
    find: () => undefined,
  };

  /** What the next block may hold: with what an empty block left over. */
  offered(sent: readonly Sent[]): readonly Sent[] {
    return [...this.#kept, ...sent];
  }

  /** Keys that the votes on the last block name: of about half of what is offered now, as if the rest had come after they voted. */
  async named(chain: TestChain, offered: readonly Sent[]): Promise<readonly string[]> {
    this.#young = offered
      .filter((one) => this.#kept.includes(one) || this.#random.below(2) === 0)
      .map(({ bytes }) => bytes);
    const extension = await chain.app.extendVote({ block: chain.decided(), round: 0 });
    return keysOf(OracleVote.decode(extension).transactions);
  }

  /** The block of this proposer, who would make `prepared`. What an empty one does without is offered again with the next. */
  chosen(
    prepared: readonly Uint8Array[],
    named: readonly string[],
    offered: readonly Sent[],
  ): { readonly txs: readonly Uint8Array[]; readonly must: number } {
    const leavesOut =
      named.length > 0 && this.#overdue.length === 0 && this.#random.below(LEFT_OUT_EVERY) === 0;
    const txs = leavesOut ? prepared.slice(0, 1) : prepared;
    const putsOff = named.length > 0 && txs.length === 1;
    const all = new Set([...this.#overdue, ...named]);
    const must = txKeys(txs.slice(1)).filter((key) => all.has(key)).length;
    this.#kept = putsOff ? offered : [];
    this.#overdue = putsOff ? named : [];
    return { txs, must };
  }
}

/** Another proposal of the same block: what it must hold, and every second of the others. */
export function halfOf(txs: readonly Uint8Array[], must: number): readonly Uint8Array[] {
  return [...txs.slice(0, 1 + must), ...txs.slice(1 + must).filter((_, i) => i % 2 === 0)];
}

/**
 * Entries in turns, each of some gas for every signer: what it has first as far as that goes, then of the next signer, and so on, until all have had their turn
 * and a next one begins. What needs more than a turn waits for as many as it takes. So neither many nor large ones of one signer come before what others have in fewer turns.
 */
import { TURN_GAS } from "./limits.ts";

interface Signed {
  readonly hash: string;
  readonly signer: string;
  readonly gasWanted: bigint;
}

export class Turns<T extends Signed> {
  /** Who has waited longest comes first; each one's own oldest first. */
  readonly #signers = new Map<string, Map<string, T>>();

  add(entry: T): void {
    const own = this.#signers.get(entry.signer);
    if (own === undefined) this.#signers.set(entry.signer, new Map([[entry.hash, entry]]));
    else own.set(entry.hash, entry);
  }

  /** Its signer goes last: it had its turn, or had its time. */
  remove({ hash, signer }: Pick<Signed, "hash" | "signer">): void {
    const own = this.#signers.get(signer);
    if (own?.delete(hash) !== true) return;
    this.#signers.delete(signer);
    if (own.size > 0) this.#signers.set(signer, own);
  }

  /** Costs as much as there are signers, and what is taken of it. */
  *all(): Iterable<T> {
    const turns: { readonly entry: T; readonly rest: Iterator<T>; readonly gas: bigint }[][] = [];
    const wait = (rest: Iterator<T>, gasBefore: bigint): void => {
      const { done, value: entry } = rest.next();
      if (done === true) return;
      const gas = gasBefore + entry.gasWanted;
      (turns[Number((gas - 1n) / TURN_GAS)] ??= []).push({ entry, rest, gas });
    };
    for (const own of this.#signers.values()) wait(own.values(), 0n);
    for (let turn = 0; turn < turns.length; turn++) {
      // Who has gas left of a turn joins its end.
      for (const { entry, gas, rest } of turns[turn] ?? []) {
        yield entry;
        wait(rest, gas);
      }
    }
  }
}

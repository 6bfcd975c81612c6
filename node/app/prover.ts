/** Asks the signatures of many transactions on the verifier's threads, ahead of their checks. Changes nothing but speed. */
import type { Account } from "@keel/modules/auth/account";
import { expectedCheck } from "@keel/modules/auth/signatures";
import { ModuleError } from "@keel/modules/kit/errors";
import type { SignatureQuestion } from "@keel/modules/kit/signature";
import type { SignatureCheck, SignatureVerifier } from "../crypto/verifier.ts";
import { type RunnableTx, signaturesInside, type TxReader } from "./transactions.ts";

/** `decided`: also signatures inside messages, which CheckTx does not ask for: nobody has paid for them yet. */
export type Prover = (txs: readonly Uint8Array[], decided: boolean) => Promise<void>;

export interface ProverOptions {
  readonly verifier: SignatureVerifier;
  readonly reader: Pick<TxReader, "read" | "admit">;
  readonly chainId: string;
  readonly account: (address: Uint8Array) => Account | undefined;
}

export function createProver(options: ProverOptions): Prover {
  const { verifier, reader } = options;
  return async (txs, decided) => {
    if (verifier.workers === 0) return;
    // What waits for its check may see blocks before it.
    const read = decided ? reader.read : reader.admit;
    /** With the transaction whose own signature it is about. */
    const asked: { readonly of: RunnableTx | null; readonly question: SignatureQuestion }[] = [];
    for (const bytes of txs) {
      const tx = read(bytes);
      const [signer] = tx instanceof ModuleError ? [] : tx.signers;
      if (tx instanceof ModuleError || signer === undefined) continue;
      if (decided) for (const question of signaturesInside(tx)) asked.push({ of: null, question });
      if (tx.proven !== null) continue;
      const question = expectedCheck(options.account(signer), tx, options.chainId);
      if (question !== null) asked.push({ of: tx, question });
    }
    if (asked.length === 0) return;
    const answers = await verifier.prefetch(asked.map(({ question }) => checkOf(question)));
    for (const [i, { of, question }] of asked.entries())
      if (of !== null && answers[i] === true) of.proven = question;
  };
}

function checkOf({ kind, key, message, signature }: SignatureQuestion): SignatureCheck {
  return { type: kind, publicKey: key, message, signature };
}

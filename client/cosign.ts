/** One transaction that several accounts sign: what two owners agree on. It carries expiring nonces, so nobody's sequence is in the way. */

import type { EncodeObject } from "@cosmjs/proto-signing";
import type { GasPrice } from "@cosmjs/stargate";
import { KeelInputError, KeelTxError } from "./errors.ts";
import { feeFor, gasLimitFor } from "./gas.ts";
import type { KeelClient } from "./keel-client.ts";
import { INCLUSION_TIMEOUT_MS, UNORDERED_TTL_MS } from "./limits.ts";
import { type SigningContext, signTogether } from "./sign.ts";
import { type TxOutcome, txOutcome } from "./tx-result.ts";

/** A signer's own signature beyond the first costs this much. */
const SIGNER_GAS = 20_000;

/** One who signs: a KeelSigningClient. */
export interface Cosigner {
  readonly chain: KeelClient;
  readonly context: SigningContext;
  readonly gasPrice: GasPrice | undefined;
  readonly address: string;
}

/**
 * Sends messages signed by all of `clients`, in the order in which the messages name them (the first pays), and waits for their block. All
 * need direct signers. Throws KeelTxError when the chain refuses.
 */
export async function executeTogether(
  clients: readonly Cosigner[],
  messages: readonly EncodeObject[],
  options: { readonly gas?: number; readonly timeoutMs?: number } = {},
): Promise<TxOutcome> {
  const [first] = clients;
  if (first === undefined)
    throw new KeelInputError("invalid-option", "clients", "expected at least one");
  const { chain } = first;
  const contexts: readonly SigningContext[] = clients.map((client) => client.context);
  const accountNumbers = await Promise.all(
    contexts.map(async ({ address }) => {
      const numbers = await chain.accountNumbers(address);
      if (numbers === null)
        throw new KeelInputError("invalid-address", "clients", `${address} is not on the chain`);
      return numbers.accountNumber;
    }),
  );
  const spread = BigInt(Math.floor(Math.random() * 1_000_000));
  const timeoutNs = (await chain.chainTimeNs()) + BigInt(UNORDERED_TTL_MS) * 1_000_000n - spread;
  const gas = options.gas ?? gasLimitFor(messages) + SIGNER_GAS * clients.length;
  const { bytes, hash } = await signTogether(contexts, {
    messages,
    fee: feeFor(gas, first.gasPrice),
    memo: "",
    accountNumbers,
    timeoutNs,
  });
  await chain.watch.prepare(first.address);
  const waiting = chain.watch.wait({
    hash,
    account: first.address,
    timeoutMs: options.timeoutMs ?? INCLUSION_TIMEOUT_MS,
    expiresAtNs: timeoutNs,
  });
  waiting.result.catch(() => {});
  let refusal: Awaited<ReturnType<typeof chain.broadcast>>;
  try {
    refusal = await chain.broadcast(bytes);
  } catch (error) {
    waiting.forget();
    throw error;
  }
  if (refusal !== null) {
    waiting.forget();
    throw new KeelTxError(refusal, hash);
  }
  const result = await waiting.result;
  if (result.code !== 0) throw new KeelTxError(result, result.hash, result.height);
  return txOutcome(result);
}

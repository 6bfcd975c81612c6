/** SIGN_MODE_LEGACY_AMINO_JSON: the canonical JSON document that Ledger devices and older wallets sign. */
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { canonicalJson } from "../kit/canonical-json.ts";
import type { SignedTx } from "./tx.ts";

/** null where the mode cannot express the transaction (an extension, an unordered one, a message without an amino form). */
export function aminoSignBytes(
  tx: SignedTx,
  signer: {
    readonly chainId: string;
    readonly accountNumber: bigint;
    readonly sequence: bigint;
  },
): Uint8Array | null {
  if (tx.unordered || tx.timeoutTimestampNs !== null || tx.hasNonCriticalExtensions) return null;
  const msgs = tx.aminoMessages();
  if (msgs === null || tx.fee === null) return null;
  const { amount, gasLimit, payer, granter } = tx.fee;
  const document = {
    account_number: signer.accountNumber.toString(),
    chain_id: signer.chainId,
    fee: {
      amount: amount.map((coin) => ({ denom: coin.denom, amount: coin.amount })),
      gas: gasLimit.toString(),
      ...(payer === "" ? {} : { payer }),
      ...(granter === "" ? {} : { granter }),
    },
    memo: tx.memo,
    msgs,
    sequence: signer.sequence.toString(),
    ...(tx.timeoutHeight === 0n ? {} : { timeout_height: tx.timeoutHeight.toString() }),
  };
  return utf8ToBytes(canonicalJson(document));
}

/** What the mempool learns of a transaction besides its result: where it belongs, whose it is, and whether a vote may name it. */
import type { CheckTxResult } from "@keel/consensus/host/ports";
import type { Addresses } from "@keel/modules/kit/addresses";
import { ModuleError } from "@keel/modules/kit/errors";
import { bytesToLatin1 } from "@keel/proto/bytes/compare";
import type { TxResult } from "./router.ts";
import type { RunnableTx } from "./transactions.ts";

/** `nameable` is asked of unordered ones. */
export function checkResult(
  result: TxResult,
  readable: RunnableTx | ModuleError,
  tools: {
    readonly addresses: Addresses;
    readonly nameable: (tx: RunnableTx) => CheckTxResult["nameable"];
  },
): CheckTxResult {
  const { code, codespace, data, events, gasUsed, gasWanted, info, log } = result;
  const common = { code, data, log, info, gasWanted, gasUsed, events, codespace };
  if (readable instanceof ModuleError) return { ...common, lane: 3, sender: null };
  const { lane, signerInfos, unordered } = readable;
  const [first] = readable.signers;
  const sender =
    unordered || first === undefined
      ? null
      : `${tools.addresses.format(first)}/${signerInfos[0]?.sequence ?? 0n}`;
  return {
    ...common,
    ...{ lane, sender, signer: first && bytesToLatin1(first) },
    nameable: unordered ? tools.nameable(readable) : undefined,
  };
}

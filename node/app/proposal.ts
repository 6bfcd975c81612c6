/** Making and judging proposals: transaction 0, lanes, space. Everything here depends on bytes, consensus parameters and committed state. */
import type { PrepareProposalRequest, ProposedBlock } from "@keel/consensus/host/ports";
import { txBytesInBlock } from "@keel/consensus/wire/block";
import { blockTransactionsMax } from "@keel/consensus/wire/limits";
import { maxBlockBytes } from "@keel/consensus/wire/params";
import type { ConsensusParams, ExtendedCommit } from "@keel/consensus/wire/types";
import type { BlockHeader, ReadContext } from "@keel/modules/kit/context";
import { ModuleError } from "@keel/modules/kit/errors";
import { unlimitedGas } from "@keel/modules/kit/gas";
import type { ReadState } from "@keel/modules/kit/store";
import type { OracleKeeper } from "@keel/modules/oracle/keeper";
import { txKeys } from "@keel/modules/oracle/lists/keys";
import { bytesToLatin1 } from "@keel/proto/bytes/compare";
import { blockGasMax } from "./block.ts";
import { readContext } from "./contexts.ts";
import type { LanedTx } from "./lanes.ts";
import { fillBlock, laneClass, laneProblem } from "./lanes.ts";
import { oracleTxOf, oracleTxRequired, readOracleTx } from "./oracle-tx.ts";
import type { TxReader } from "./transactions.ts";

function laned(bytes: Uint8Array, read: TxReader["read"]): LanedTx | null {
  const tx = read(bytes);
  if (tx instanceof ModuleError) return null;
  return { bytes, lane: laneClass(tx), gasLimit: tx.fee?.gasLimit ?? 0n, signers: tx.signers };
}

export function prepareTxs(
  request: PrepareProposalRequest,
  params: ConsensusParams,
  tools: {
    readonly read: TxReader["read"];
    readonly oracle: OracleKeeper;
    readonly isOutdated: boolean;
    /** Committed state at the height of the proposal. */
    readonly context: ReadContext;
  },
): Uint8Array[] {
  const { read, isOutdated } = tools;
  const first: Uint8Array[] = [];
  if (oracleTxRequired(params.abci.voteExtensionsEnableHeight, request.height)) {
    // Without the extended commit (a node fresh from state sync) no valid block can be made: the others refuse this one and go on.
    if (request.localLastCommit === null) return [];
    first.push(oracleTxOf(request.localLastCommit, isOutdated));
    // Nothing could match in it, and what was sent today should not fail on yesterday's prices.
    if (isOutdated) return first;
  }
  const taken = first.reduce((sum, tx) => sum + txBytesInBlock(tx.length), 0);
  const txs = request.txs.flatMap((bytes) => laned(bytes, read) ?? []);
  const named = new Set(namedIn(request.localLastCommit, tools));
  const rest = fillBlock(named.size === 0 ? txs : namedFirst(txs, named), {
    bytesMax: request.maxTxBytes - taken,
    blockBytes: maxBlockBytes(params),
    gasMax: blockGasMax(params),
    countMax: blockTransactionsMax - first.length,
  });
  return [...first, ...rest];
}

/** What the block is expected to hold: keys named by more than a third of power in the last commit. */
function namedIn(
  commit: ExtendedCommit | null,
  { oracle, context }: { readonly oracle: OracleKeeper; readonly context: ReadContext },
): readonly string[] {
  const votes = commit?.extendedSignatures ?? [];
  return oracle.named(
    context,
    votes.flatMap(({ flag, validatorAddress, extension }) =>
      flag === "commit" ? [{ address: validatorAddress, extension }] : [],
    ),
  );
}

/** Named ones before the others, so that a full block leaves none of them out. A sequenced one takes along what its senders sent before it. */
function namedFirst(txs: readonly LanedTx[], named: ReadonlySet<string>): readonly LanedTx[] {
  const keys = txKeys(txs.map(({ bytes }) => bytes));
  const senders = new Set<string>();
  const isFirst = txs.map(() => false);
  for (let at = txs.length - 1; at >= 0; at--) {
    const { lane, signers } = txs[at] as LanedTx;
    const own = lane === 3 ? signers.map(bytesToLatin1) : [];
    if (!named.has(keys[at] as string) && !own.some((one) => senders.has(one))) continue;
    isFirst[at] = true;
    for (const one of own) senders.add(one);
  }
  return [...txs.filter((_, at) => isFirst[at]), ...txs.filter((_, at) => !isFirst[at])];
}

/** Why the block's transactions are refused, or null. `state` is the committed one, `header` the proposed block's. */
export function proposalProblem(
  block: ProposedBlock,
  params: ConsensusParams,
  tools: {
    readonly read: TxReader["read"];
    readonly oracle: OracleKeeper;
    readonly header: BlockHeader;
    readonly state: ReadState;
  },
): string | null {
  let txs = block.txs;
  if (oracleTxRequired(params.abci.voteExtensionsEnableHeight, block.height)) {
    const [first] = txs;
    const update = first === undefined ? null : readOracleTx(first);
    if (update === null) return "expected transaction 0 to be an oracle update";
    const context = readContext(tools.header, tools.state, unlimitedGas());
    const problem = tools.oracle.verifyUpdate(context, update.extendedCommit);
    if (problem !== null) return `oracle update: ${problem}`;
    txs = txs.slice(1);
  }
  const order: LanedTx[] = [];
  for (const [index, bytes] of txs.entries()) {
    const tx = laned(bytes, tools.read);
    if (tx === null) return `transaction ${index} cannot be run`;
    order.push(tx);
  }
  return laneProblem(order, { blockBytes: maxBlockBytes(params), gasMax: blockGasMax(params) });
}

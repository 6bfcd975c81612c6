/** Making and judging proposals: transaction 0, what validators named, lanes, space. Everything here depends on bytes, consensus parameters and committed state. */
import type { PrepareProposalRequest, ProposedBlock } from "@keel/consensus/host/ports";
import { txBytesInBlock } from "@keel/consensus/wire/block";
import { extendedCommitMessage } from "@keel/consensus/wire/commit";
import { blockTransactionsMax } from "@keel/consensus/wire/limits";
import { maxBlockBytes } from "@keel/consensus/wire/params";
import type { ConsensusParams } from "@keel/consensus/wire/types";
import type { BlockHeader, ReadContext } from "@keel/modules/kit/context";
import { ModuleError } from "@keel/modules/kit/errors";
import { unlimitedGas } from "@keel/modules/kit/gas";
import type { ReadState } from "@keel/modules/kit/store";
import type { OracleKeeper } from "@keel/modules/oracle/keeper";
import { txKeys } from "@keel/modules/oracle/lists/keys";
import { blockGasMax } from "./block.ts";
import { completenessProblem, expectedIn } from "./completeness.ts";
import { readContext } from "./contexts.ts";
import type { LanedTx } from "./lanes.ts";
import { fillBlock, laneClass, laneProblem } from "./lanes.ts";
import { NAMED_POLL_MS, NAMED_WAIT_MS } from "./limits.ts";
import { oracleTxOf, oracleTxRequired, readOracleTx } from "./oracle-tx.ts";
import type { TxReader } from "./transactions.ts";

function laned(bytes: Uint8Array, read: TxReader["read"]): LanedTx | null {
  const tx = read(bytes);
  if (tx instanceof ModuleError) return null;
  return { bytes, lane: laneClass(tx), gasLimit: tx.fee?.gasLimit ?? 0n, signers: tx.signers };
}

/** Waits for what was named and is not at hand, for a bounded time. */
export async function prepareTxs(
  request: PrepareProposalRequest,
  params: ConsensusParams,
  tools: {
    readonly read: TxReader["read"];
    readonly oracle: OracleKeeper;
    readonly isOutdated: boolean;
    /** Committed state at the height of the proposal. */
    readonly context: ReadContext;
    /** A transaction that was named, by key: what the pool offers does not have all of a long backlog. */
    readonly find: (key: string) => Uint8Array | undefined;
  },
): Promise<Uint8Array[]> {
  const { read, isOutdated } = tools;
  const first: Uint8Array[] = [];
  let txs = request.txs;
  let named: readonly LanedTx[] = [];
  if (oracleTxRequired(params.abci.voteExtensionsEnableHeight, request.height)) {
    // Without the extended commit (a node fresh from state sync) no valid block can be made: the others refuse this one and go on.
    const commit = request.localLastCommit;
    if (commit === null) return [];
    first.push(oracleTxOf(commit, isOutdated));
    // Nothing could match in it, and what was sent today should not fail on yesterday's prices.
    if (isOutdated) return first;
    const { overdue, listed } = expectedIn(commit, tools.context, tools.oracle);
    await bytesAtHand([...overdue, ...listed], txs, tools.find);
    const found = takeNamed([...overdue, ...listed], txs, tools);
    // What it does not have it cannot include: the next proposer may.
    if (found === null) return first;
    ({ named, rest: txs } = found);
  }
  const taken = first.reduce((sum, tx) => sum + txBytesInBlock(tx.length), 0);
  const rest = fillBlock(
    txs.flatMap((bytes) => laned(bytes, read) ?? []),
    {
      named,
      bytesMax: request.maxTxBytes - taken,
      blockBytes: maxBlockBytes(params),
      gasMax: blockGasMax(params),
      countMax: blockTransactionsMax - first.length,
    },
  );
  return rest === null ? first : [...first, ...rest];
}

/** Until the bytes of all that was named are at hand, or for a bounded time. */
async function bytesAtHand(
  keys: readonly string[],
  txs: readonly Uint8Array[],
  find: (key: string) => Uint8Array | undefined,
): Promise<void> {
  if (keys.length === 0) return;
  const offered = new Set(txKeys(txs));
  const wanted = keys.filter((key) => !offered.has(key));
  for (let waited = 0; waited < NAMED_WAIT_MS; waited += NAMED_POLL_MS) {
    if (wanted.every((key) => find(key) !== undefined)) return;
    await new Promise((resolve) => setTimeout(resolve, NAMED_POLL_MS));
  }
}

/** The named ones in their sequence and what else there is, or null when one of them is not at hand. */
function takeNamed(
  keys: readonly string[],
  txs: readonly Uint8Array[],
  {
    find,
    read,
  }: { readonly find: (key: string) => Uint8Array | undefined } & Pick<TxReader, "read">,
): { readonly named: readonly LanedTx[]; readonly rest: readonly Uint8Array[] } | null {
  if (keys.length === 0) return { named: [], rest: txs };
  const offered = txKeys(txs);
  const byKey = new Map(offered.map((key, at) => [key, txs[at] as Uint8Array]));
  const named: LanedTx[] = [];
  for (const key of keys) {
    const bytes = byKey.get(key) ?? find(key);
    const tx = bytes === undefined ? null : laned(bytes, read);
    if (tx === null) return null;
    named.push(tx);
  }
  const all = new Set(keys);
  return { named, rest: txs.filter((_, at) => !all.has(offered[at] as string)) };
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
  let named = 0;
  if (oracleTxRequired(params.abci.voteExtensionsEnableHeight, block.height)) {
    const [first] = txs;
    const update = first === undefined ? null : readOracleTx(first);
    if (update === null) return "expected transaction 0 to be an oracle update";
    const context = readContext(tools.header, tools.state, unlimitedGas());
    const problem = tools.oracle.verifyUpdate(context, update.extendedCommit);
    if (problem !== null) return `oracle update: ${problem}`;
    txs = txs.slice(1);
    if (update.outdated && txs.length > 0)
      return `expected an outdated block to hold nothing but its update, got ${txs.length} more`;
    const commit = extendedCommitMessage.decode(update.extendedCommit);
    const expected = expectedIn(commit, context, tools.oracle);
    named = expected.overdue.length + expected.listed.length;
    const incomplete = named === 0 ? null : completenessProblem(txKeys(txs), expected);
    if (incomplete !== null) return incomplete;
  }
  const order: LanedTx[] = [];
  for (const [index, bytes] of txs.entries()) {
    const tx = laned(bytes, tools.read);
    if (tx === null) return `transaction ${index} cannot be run`;
    order.push(tx);
  }
  const space = { blockBytes: maxBlockBytes(params), gasMax: blockGasMax(params) };
  return laneProblem(order, space, named);
}

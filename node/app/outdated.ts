/**
 * Votes from before an outage. After a full stop the next block still has the time and the prices of the last votes before it; only a clock can tell. So its
 * proposer says it, by its own clock, and whoever is to vote for the block takes it by theirs. What then follows is a function of the block alone.
 */
import type { ProposedBlock } from "@keel/consensus/host/ports";
import type { ConsensusParams } from "@keel/consensus/wire/types";
import type { ReadContext } from "@keel/modules/kit/context";
import type { OracleKeeper } from "@keel/modules/oracle/keeper";
import { addNanos, type Timestamp, timestampToNanos } from "@keel/proto/bytes/timestamp";
import { oracleTxRequired, readOracleTx } from "./oracle-tx.ts";

/** Whether this node's proposal with that block time calls its votes outdated. Without a clock none does. */
export function callsOutdated(
  oracle: OracleKeeper,
  context: ReadContext,
  time: Timestamp,
  nowNs: (() => bigint) | undefined,
): boolean {
  return nowNs !== undefined && oracle.isOutdated(context, nowNs() - timestampToNanos(time));
}

/**
 * The time from which a validator takes the block as a proposal: one that calls its votes outdated, when it is half as old as it must be for an honest
 * proposer's clock, so that clocks may differ by the other half. Null: at any time.
 */
export function proposableFrom(
  { height, time, txs }: Pick<ProposedBlock, "height" | "time" | "txs">,
  params: ConsensusParams,
  oracle: OracleKeeper,
  context: ReadContext,
): Timestamp | null {
  const [first] = txs;
  // One that holds more is no valid block, if it says so.
  if (first === undefined || txs.length > 1) return null;
  if (!oracleTxRequired(params.abci.voteExtensionsEnableHeight, height)) return null;
  if (readOracleTx(first)?.outdated !== true) return null;
  return addNanos(time, oracle.outdatedFromNs(context));
}

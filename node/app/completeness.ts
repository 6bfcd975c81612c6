/**
 * Complete or empty: what validators named, a block holds wholly and first, in one sequence, or it holds nothing but its update. Else a proposer had
 * an option on its own orders after the last news: to leave one out, to put something before it that makes it fail, or to choose which of two comes first.
 */
import { extendedCommitMessage } from "@keel/consensus/wire/commit";
import type { ExtendedCommit } from "@keel/consensus/wire/types";
import type { ReadContext } from "@keel/modules/kit/context";
import type { OracleKeeper } from "@keel/modules/oracle/keeper";
import type { ExpectedTransactions } from "@keel/modules/oracle/lists/keeper";
import { latin1ToBytes } from "@keel/proto/bytes/compare";
import { bytesToHex } from "@keel/proto/bytes/hex";
import type { Keel } from "./app.ts";
import { activeBlock } from "./chain-record.ts";
import { IDLE_BLOCKS_MAX } from "./limits.ts";
import { readOracleTx } from "./oracle-tx.ts";

/** What the context's block must begin with, whose update has this commit. */
export function expectedIn(
  commit: ExtendedCommit,
  context: ReadContext,
  oracle: OracleKeeper,
): ExpectedTransactions {
  return oracle.expected(
    context,
    commit.extendedSignatures.flatMap(({ flag, validatorAddress, extension }) =>
      flag === "commit" ? [{ address: validatorAddress, extension }] : [],
    ),
  );
}

/** Why a block with these transactions after its update is neither complete nor empty, or null. `keys`: of the transactions, in their order. */
export function completenessProblem(
  keys: readonly string[],
  { overdue, listed }: ExpectedTransactions,
): string | null {
  if (keys.length === 0) return null;
  const named = [...overdue, ...listed];
  const at = named.findIndex((key, place) => keys[place] !== key);
  if (at >= 0) {
    const kind = at < overdue.length ? "overdue" : "listed";
    const got = keys[at];
    return `transaction ${at + 1}: expected ${kind} ${hex(named[at] as string)} or an empty block, got ${got === undefined ? "the end" : hex(got)}`;
  }
  const all = new Set(named);
  const again = keys.findIndex((key, place) => place >= named.length && all.has(key));
  if (again < 0) return null;
  return `transaction ${again + 1}: expected each named one once, got ${hex(keys[again] as string)} again`;
}

/** Whether a block that holds nothing but its update, after one that put its round off, does nothing at all and leaves that round open. */
export function isIdle(height: number, putOffAt: number): boolean {
  return height - putOffAt <= IDLE_BLOCKS_MAX;
}

export interface LeftOpen {
  /** What the next block begins with if it holds anything, whatever the votes on this one name; also what this one gives up, if it does, since its votes may have named that again. */
  readonly overdue: readonly string[];
  /** The block does nothing, so that what was named for it is lost if it is not named again. */
  readonly isIdle: boolean;
}

/** What a valid block leaves open that holds `txs`, its update among them, in the context of its header. */
export function leftOpenBy(
  txs: readonly Uint8Array[],
  context: ReadContext,
  { chain, oracle }: Pick<Keel, "chain" | "oracle">,
): LeftOpen {
  const [first] = txs;
  // It is complete, or its update is all it has.
  const update = first === undefined || txs.length > 1 ? null : readOracleTx(first);
  if (update === null) return { overdue: [], isIdle: false };
  const commit = extendedCommitMessage.decode(update.extendedCommit);
  const { listed, overdue } = expectedIn(commit, context, oracle);
  // It gives up what is overdue, and no vote from before it named that.
  if (update.outdated) return { overdue: listed, isIdle: false };
  const last = activeBlock(chain, context);
  const { height } = context.header;
  return overdue.length > 0 && last !== undefined && isIdle(height, last.height)
    ? { overdue, isIdle: true }
    : { overdue: [...overdue, ...listed], isIdle: false };
}

function hex(key: string): string {
  return bytesToHex(latin1ToBytes(key));
}

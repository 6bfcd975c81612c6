/**
 * Complete or empty: what validators named, a block holds wholly and first, in one sequence, or it holds nothing but its update. Else a proposer had
 * an option on its own orders after the last news: to leave one out, to put something before it that makes it fail, or to choose which of two comes first.
 */
import type { ExtendedCommit } from "@keel/consensus/wire/types";
import type { ReadContext } from "@keel/modules/kit/context";
import type { OracleKeeper } from "@keel/modules/oracle/keeper";
import type { ExpectedTransactions } from "@keel/modules/oracle/lists/keeper";
import { latin1ToBytes } from "@keel/proto/bytes/compare";
import { bytesToHex } from "@keel/proto/bytes/hex";

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

function hex(key: string): string {
  return bytesToHex(latin1ToBytes(key));
}

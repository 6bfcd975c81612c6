/** What a stored record of inclusion lists may say. It is in no genesis: of votes and a block that a new chain does not have. */
import type { InclusionList } from "@keel/proto/gen/keel/oracle/v1/types";
import type { Invariant } from "../../kit/module.ts";
import { NAMED_MAX } from "../limits.ts";
import type { OracleState } from "../state.ts";
import { keysOf, listFault } from "./keys.ts";

/** Why it cannot be what a block wrote, or null. */
function recordFault({ height, listed, missing }: InclusionList): string | null {
  for (const list of [listed, missing]) {
    const fault = listFault(list, NAMED_MAX);
    if (fault !== null) return fault;
  }
  if (height === 0n) return "expected a height";
  if (listed.length === 0) return "nothing is listed";
  const own = new Set(keysOf(listed));
  if (keysOf(missing).some((key) => !own.has(key))) return "a missing transaction is not listed";
  return null;
}

export function listsSound(state: OracleState): Invariant {
  return (ctx) => {
    const record = state.inclusionList.get(ctx);
    if (record === undefined) return null;
    const isFuture = record.height > BigInt(ctx.header.height);
    const fault = isFuture ? "it is from the future" : recordFault(record);
    return fault === null ? null : `inclusion list of height ${record.height}: ${fault}`;
  };
}

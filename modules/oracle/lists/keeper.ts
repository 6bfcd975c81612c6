/**
 * Inclusion lists: what validators with more than a third of all power held when they voted, and what the block did with it. It takes one honest
 * validator to name a transaction, so while a third of power at most is dishonest nothing is named that nobody honest holds.
 */
import type { InclusionList } from "@keel/proto/gen/keel/oracle/v1/types";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import type { ValidatorVote } from "../aggregate.ts";
import { emitTransactionsMissing } from "../events.ts";
import type { OracleState } from "../state.ts";
import { validatorsAt } from "../validator-sets.ts";
import { type CommitVote, votesOf } from "../votes.ts";
import { ascending, keysOf, listOf } from "./keys.ts";

const none: Uint8Array = new Uint8Array(0);

/** Of a block that is still to be made, by key, each ascending; none is in both. */
export interface ExpectedTransactions {
  /** Missing in the last block: they belong to its round. */
  readonly overdue: readonly string[];
  /** Named by more than a third of power in the votes on the last block. */
  readonly listed: readonly string[];
}

export interface ListKeeper {
  /** What the context's block holds if it holds anything but its update, which has these votes on the block before. For proposals. */
  expected(ctx: ReadContext, votes: readonly CommitVote[]): ExpectedTransactions;
  /** After the block's update: keys listed for its round; null when nothing is. Any other transaction is late. */
  listedNow(ctx: ReadContext): ReadonlySet<string> | null;
  /** After the block, whose round it put off: keys of what was listed for it and is missing; null: nothing is. */
  putOff(ctx: ReadContext): ReadonlySet<string> | null;
  /** The round that was put off has ended: nothing is overdue any more. */
  endPutOff(ctx: WriteContext): void;
  /** After the block's transactions, of which these are the keys: what was listed and is not among them puts the round off by a block. Whether they succeeded does not matter. */
  closeList(ctx: WriteContext, included: readonly string[]): void;
}

/** Keys that voters with more than one third of all power named, ascending. `votes` has one entry per validator of the set. */
function namedBy(votes: readonly ValidatorVote[]): string[] {
  let total = 0n;
  const powers = new Map<string, bigint>();
  for (const { power, vote } of votes) {
    total += power;
    if (vote === null) continue;
    for (const key of keysOf(vote.transactions)) powers.set(key, (powers.get(key) ?? 0n) + power);
  }
  const named: string[] = [];
  for (const [key, power] of powers) if (3n * power > total) named.push(key);
  return ascending(named);
}

/** `before`: the record that is there when the block begins. */
function expectedBy(
  before: InclusionList | undefined,
  height: number,
  votes: readonly ValidatorVote[],
): ExpectedTransactions {
  // Blocks that brought nothing of it did nothing, so the record is that of the last one that did.
  const isOpen = before !== undefined && before.height < BigInt(height);
  const overdue = isOpen ? keysOf(before.missing) : [];
  const late = new Set(overdue);
  return { overdue, listed: namedBy(votes).filter((key) => !late.has(key)) };
}

/** Begins the block's record, or takes the last one away when there is nothing to say. A round that was put off has ended before. */
export function openList(
  ctx: WriteContext,
  state: OracleState,
  votes: readonly ValidatorVote[],
): void {
  const listed = namedBy(votes);
  if (listed.length > 0) {
    const height = BigInt(ctx.header.height);
    state.inclusionList.set(ctx, { height, listed: listOf(listed), missing: none });
  } else if (state.inclusionList.get(ctx) !== undefined) {
    state.inclusionList.delete(ctx);
  }
}

export function createListKeeper(state: OracleState): ListKeeper {
  function recordOf(ctx: ReadContext, height: number): InclusionList | undefined {
    const record = state.inclusionList.get(ctx);
    return record?.height === BigInt(height) ? record : undefined;
  }

  return {
    expected(ctx, votes) {
      const { height } = ctx.header;
      const said = votesOf(validatorsAt(ctx, state, height - 1), votes);
      return expectedBy(state.inclusionList.get(ctx), height, said);
    },

    listedNow(ctx) {
      const record = recordOf(ctx, ctx.header.height);
      return record === undefined ? null : new Set(keysOf(record.listed));
    },

    putOff(ctx) {
      const record = recordOf(ctx, ctx.header.height);
      return record === undefined || record.missing.length === 0
        ? null
        : new Set(keysOf(record.missing));
    },

    endPutOff: (ctx) => state.inclusionList.delete(ctx),

    closeList(ctx, included) {
      const record = recordOf(ctx, ctx.header.height);
      if (record === undefined) return;
      const held = new Set(included);
      const missing = keysOf(record.listed).filter((key) => !held.has(key));
      if (missing.length === 0) return;
      state.inclusionList.set(ctx, { ...record, missing: listOf(missing) });
      emitTransactionsMissing(ctx, missing.length);
    },
  };
}

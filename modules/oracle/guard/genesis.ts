/** What guards remember, in genesis: as it was exported, and refused where it could not have been. */

import type { GenesisState } from "@keel/proto/gen/keel/oracle/v1/genesis";
import type { FeedWatch, PriceCheckpoint } from "@keel/proto/gen/keel/oracle/v1/guard";
import type { ReadContext, WriteContext } from "../../kit/context.ts";
import { refuse } from "../errors.ts";
import { MANTISSA_LIMIT } from "../limits.ts";
import type { OracleState } from "../state.ts";

type GuardGenesis = Pick<GenesisState, "watches" | "checkpoints" | "standings">;

const SUM = /^(0|[1-9][0-9]{0,38})$/;

/** Why it cannot be what a block wrote, or null. */
export function watchFault(watch: FeedWatch, nowMs: bigint): string | null {
  const { meanMantissa, confirmedMantissa, pendingMantissa, minuteMantissa } = watch;
  for (const mantissa of [meanMantissa, confirmedMantissa, pendingMantissa, minuteMantissa]) {
    if (mantissa >= MANTISSA_LIMIT) return "a price is too large";
  }
  if (watch.sum !== "" && !SUM.test(watch.sum)) return "its sum is not a number";
  return watch.sumTimeMs > nowMs ? "its sum is from the future" : null;
}

export function checkpointFault(checkpoint: PriceCheckpoint, watch: FeedWatch): string | null {
  if (!SUM.test(checkpoint.sum) || watch.sum === "") return "there is no sum";
  const later =
    checkpoint.timeMs > watch.sumTimeMs ||
    checkpoint.coveredMs > watch.coveredMs ||
    BigInt(checkpoint.sum) > BigInt(watch.sum);
  return later ? "it is beyond the running sum" : null;
}

/** After the feeds and prices. */
export function initGuards(ctx: WriteContext, state: OracleState, genesis: GuardGenesis): void {
  const require = (fault: string | null, what: string): void => {
    if (fault !== null) throw refuse("invalidRequest", `oracle genesis: ${what}: ${fault}`);
  };
  // Exports keep absolute times, and a chain may begin before them: the future is judged by the invariant of its first block.
  const beginning = MANTISSA_LIMIT;
  for (const watch of genesis.watches) {
    const guarded = state.feeds.get(ctx, watch.feedId)?.guard !== undefined;
    require(guarded
      ? watchFault(watch, beginning)
      : "it is not guarded", `watch of feed ${watch.feedId}`);
    state.watches.set(ctx, watch.feedId, watch);
  }
  for (const { feedId, slot, checkpoint } of genesis.checkpoints) {
    const watch = state.watches.get(ctx, feedId);
    const fault =
      watch === undefined || checkpoint === undefined
        ? "it has no watch"
        : checkpointFault(checkpoint, watch);
    require(fault, `checkpoint ${slot} of feed ${feedId}`);
    if (checkpoint !== undefined) state.checkpoints.set(ctx, [feedId, slot], checkpoint);
  }
  for (const standing of genesis.standings) {
    require(standing.address.length === 20 ? null : "expected an address of 20 bytes", "standing");
    state.standings.set(ctx, standing.address, standing);
  }
}

export function exportGuards(ctx: ReadContext, state: OracleState): GuardGenesis {
  const genesis: GuardGenesis = { watches: [], checkpoints: [], standings: [] };
  state.watches.each(ctx, (_id, watch) => {
    genesis.watches.push(watch);
  });
  state.checkpoints.each(ctx, ([feedId, slot], checkpoint) => {
    genesis.checkpoints.push({ feedId, slot, checkpoint });
  });
  state.standings.each(ctx, (_address, standing) => {
    genesis.standings.push(standing);
  });
  return genesis;
}

/** Watches belong to guarded feeds and hold what a block could have written; no checkpoint is beyond its running sum. */
import { divFloor } from "../../kit/math/mul-div.ts";
import type { Invariant } from "../../kit/module.ts";
import type { OracleState } from "../state.ts";
import { checkpointFault, watchFault } from "./genesis.ts";

export function watchesSound(state: OracleState): Invariant {
  return (ctx) => {
    const nowMs = divFloor(ctx.header.timeNs, 1_000_000n);
    let fault: string | null = null;
    state.watches.each(ctx, (id, watch) => {
      const guarded = state.feeds.get(ctx, id)?.guard !== undefined;
      const found = guarded ? watchFault(watch, nowMs) : "it is not guarded";
      if (found !== null) fault = `watch of feed ${id}: ${found}`;
      return fault !== null;
    });
    return fault;
  };
}

export function checkpointsSound(state: OracleState): Invariant {
  return (ctx) => {
    let fault: string | null = null;
    state.checkpoints.each(ctx, ([id, slot], checkpoint) => {
      const watch = state.watches.get(ctx, id);
      const found = watch === undefined ? "it has no watch" : checkpointFault(checkpoint, watch);
      if (found !== null) fault = `checkpoint ${slot} of feed ${id}: ${found}`;
      return fault !== null;
    });
    return fault;
  };
}

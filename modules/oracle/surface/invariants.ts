/** Parameters belong to surfaces, are free of arbitrage and never from the future; turns hold what a block could have written. */
import type { Invariant } from "../../kit/module.ts";
import type { OracleState } from "../state.ts";
import { parametersFault } from "./project.ts";

export function surfacesSound(state: OracleState): Invariant {
  return (ctx) => {
    let fault: string | null = null;
    state.surfaceParameters.each(ctx, (id, parameters) => {
      const found = state.surfaces.has(ctx, id)
        ? parametersFault(parameters)
        : "there is no such surface";
      if (found !== null) fault = `surface ${id}: ${found}`;
      else if (parameters.timeNs > ctx.header.timeNs) {
        fault = `surface ${id}: parameters are from the future`;
      }
      return fault !== null;
    });
    if (fault !== null) return fault;
    state.surfaceAnchors.each(ctx, ([id, turn], { mantissa, parameters, timeNs }) => {
      const turns = state.surfaces.get(ctx, id)?.repricingBlocks ?? 0;
      if (turn >= turns) fault = `surface ${id}: turn ${turn} of ${turns}`;
      else if (parameters === undefined || parametersFault(parameters) !== null) {
        fault = `surface ${id}: turn ${turn} has no sound parameters`;
      } else if (mantissa <= 0n || timeNs > ctx.header.timeNs) {
        fault = `surface ${id}: turn ${turn} has no index, or is from the future`;
      }
      return fault !== null;
    });
    return fault;
  };
}

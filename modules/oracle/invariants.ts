/** Prices belong to feeds, are positive and never from the future. There are few feeds, so the running form reads all. */
import type { ModuleInvariants } from "../kit/module.ts";
import { checkpointsSound, watchesSound } from "./guard/invariants.ts";
import { listsSound } from "./lists/record.ts";
import type { OracleState } from "./state.ts";
import { surfacesSound } from "./surface/invariants.ts";

export function oracleInvariants(state: OracleState): ModuleInvariants {
  return {
    running: {
      "prices-sound": (ctx) => {
        let fault: string | null = null;
        state.prices.each(ctx, (id, price) => {
          if (!state.feeds.has(ctx, id)) fault = `price of unknown feed ${id}`;
          else if (price.mantissa <= 0n || price.emaMantissa <= 0n) {
            fault = `feed ${id}: price is not positive`;
          } else if (price.timeNs > ctx.header.timeNs) {
            fault = `feed ${id}: price is from the future`;
          }
          return fault !== null;
        });
        return fault;
      },
      "surfaces-sound": surfacesSound(state),
      "watches-sound": watchesSound(state),
    },
    full: { "checkpoints-sound": checkpointsSound(state), "lists-sound": listsSound(state) },
  };
}

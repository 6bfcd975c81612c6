/** The guard module: circuit breakers, the two keys, limits on what leaves, and rules that move margin and caps by themselves. */
import type { Schema } from "../kit/collections/schema.ts";
import type { ModuleDefinition } from "../kit/module.ts";
import { guardGenesis } from "./genesis.ts";
import { guardInvariants } from "./invariants.ts";
import type { GuardKeeper } from "./keeper.ts";
import { createKeeper } from "./keeper.ts";
import { guardMessages } from "./messages.ts";
import type { GuardPorts } from "./ports.ts";
import { guardQueries } from "./queries.ts";
import type { GuardState } from "./state.ts";
import { guardState } from "./state.ts";

export interface Guard {
  readonly module: ModuleDefinition;
  readonly keeper: GuardKeeper;
  /** For invariant tests and simulation only. */
  readonly state: GuardState;
}

export function createGuard(schema: Schema, ports: GuardPorts): Guard {
  const state = guardState(schema);
  const keeper = createKeeper(state, ports);
  return {
    keeper,
    state,
    module: {
      name: "guard",
      version: 1,
      messages: guardMessages(state, keeper, ports.addresses),
      queries: guardQueries(state, keeper, ports),
      genesis: guardGenesis({ state, ports }, ports.addresses),
      beginBlock: (ctx) => keeper.beginBlock(ctx),
      endBlock: (ctx) => keeper.endBlock(ctx),
      invariants: guardInvariants(state),
    },
  };
}

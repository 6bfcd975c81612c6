/** The guard module: circuit breakers, the emergency key, and rules that move margin and caps by themselves. */
import type { Schema } from "../kit/collections/schema.ts";
import type { ModuleDefinition } from "../kit/module.ts";
import { guardGenesis } from "./genesis.ts";
import { guardMessages } from "./messages.ts";
import type { GuardPorts } from "./ports.ts";
import { guardQueries } from "./queries.ts";
import type { GuardState } from "./state.ts";
import { guardState } from "./state.ts";

export interface Guard {
  readonly module: ModuleDefinition;
  /** For invariant tests and simulation only. */
  readonly state: GuardState;
}

export function createGuard(schema: Schema, { addresses }: GuardPorts): Guard {
  const state = guardState(schema);
  return {
    state,
    module: {
      name: "guard",
      version: 1,
      messages: guardMessages(state, addresses),
      queries: guardQueries(state),
      genesis: guardGenesis(state, addresses),
      invariants: { running: {}, full: {} },
    },
  };
}

/** The insurance module: funds that pay what a bankrupt account cannot. */
import type { Schema } from "../kit/collections/schema.ts";
import type { ModuleDefinition } from "../kit/module.ts";
import { insuranceGenesis } from "./genesis.ts";
import { insuranceInvariants } from "./invariants.ts";
import type { InsuranceKeeper } from "./keeper.ts";
import { createKeeper } from "./keeper.ts";
import { insuranceMessages } from "./messages.ts";
import type { InsurancePorts } from "./ports.ts";
import { insuranceQueries } from "./queries.ts";
import type { InsuranceState } from "./state.ts";
import { insuranceState } from "./state.ts";

export interface Insurance {
  readonly module: ModuleDefinition;
  readonly keeper: InsuranceKeeper;
  /** For invariant tests and simulation only. */
  readonly state: InsuranceState;
}

export function createInsurance(schema: Schema, ports: InsurancePorts): Insurance {
  const state = insuranceState(schema);
  const keeper = createKeeper(state, ports);
  return {
    keeper,
    state,
    module: {
      name: "insurance",
      version: 1,
      messages: insuranceMessages(state, keeper, ports.addresses),
      queries: insuranceQueries(state, keeper, ports),
      genesis: insuranceGenesis(state, ports.addresses),
      invariants: insuranceInvariants(state),
      endBlock: (ctx) => keeper.payLeaving(ctx),
    },
  };
}

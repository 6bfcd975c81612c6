/** The oracle module: prices from vote extensions. */
import type { Schema } from "../kit/collections/schema.ts";
import type { ModuleDefinition } from "../kit/module.ts";
import { oracleGenesis } from "./genesis.ts";
import { oracleInvariants } from "./invariants.ts";
import type { OracleKeeper } from "./keeper.ts";
import { createKeeper } from "./keeper.ts";
import { oracleMessages } from "./messages.ts";
import type { OraclePorts } from "./ports.ts";
import { oracleQueries } from "./queries.ts";
import type { OracleState } from "./state.ts";
import { oracleState } from "./state.ts";

export interface Oracle {
  readonly module: ModuleDefinition;
  readonly keeper: OracleKeeper;
  /** For invariant tests and simulation only. */
  readonly state: OracleState;
}

export function createOracle(schema: Schema, ports: OraclePorts): Oracle {
  const state = oracleState(schema);
  const keeper = createKeeper(state, ports);
  return {
    keeper,
    state,
    module: {
      name: "oracle",
      version: 1,
      messages: oracleMessages(state, keeper, ports),
      queries: oracleQueries(keeper),
      genesis: oracleGenesis(state, ports.addresses),
      invariants: oracleInvariants(state),
    },
  };
}

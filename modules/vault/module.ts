/** The vault module: a liquidity vault that anyone can share in, and the backstop of liquidations. */
import type { Schema } from "../kit/collections/schema.ts";
import type { ModuleDefinition } from "../kit/module.ts";
import { vaultGenesis } from "./genesis.ts";
import { vaultInvariants } from "./invariants.ts";
import type { VaultKeeper } from "./keeper.ts";
import { createKeeper } from "./keeper.ts";
import { vaultMessages } from "./messages.ts";
import type { VaultPorts } from "./ports.ts";
import { vaultQueries } from "./queries.ts";
import type { VaultState } from "./state.ts";
import { vaultState } from "./state.ts";

export interface Vault {
  readonly module: ModuleDefinition;
  readonly keeper: VaultKeeper;
  /** For invariant tests and simulation only. */
  readonly state: VaultState;
}

export function createVault(schema: Schema, ports: VaultPorts): Vault {
  const state = vaultState(schema);
  const keeper = createKeeper(state, ports);
  return {
    keeper,
    state,
    module: {
      name: "vault",
      version: 1,
      messages: vaultMessages(state, keeper, ports),
      queries: vaultQueries(state, keeper, ports),
      genesis: vaultGenesis(state, ports),
      beginBlock: (ctx) => keeper.beginBlock(ctx),
      invariants: vaultInvariants(state, ports.ledger),
    },
  };
}

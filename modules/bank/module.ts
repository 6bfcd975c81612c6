/** Coins: balances, supply, transfers. State, messages, queries and events are the SDK's bank module's. */
import type { Schema } from "../kit/collections/schema.ts";
import type { ModuleDefinition } from "../kit/module.ts";
import { bankGenesis } from "./genesis.ts";
import { supplyEqualsBalances } from "./invariants.ts";
import type { BankKeeper, BankOptions } from "./keeper.ts";
import { createBankKeeper } from "./keeper.ts";
import { bankMessages } from "./messages.ts";
import { bankQueries } from "./queries.ts";
import { bankState } from "./state.ts";

export interface Bank {
  readonly module: ModuleDefinition;
  readonly keeper: BankKeeper;
}

export function createBank(schema: Schema, options: BankOptions): Bank {
  const state = bankState(schema);
  const keeper = createBankKeeper(state, options);
  return {
    keeper,
    module: {
      name: "bank",
      version: 4,
      messages: bankMessages(keeper, options.addresses),
      queries: bankQueries(state, keeper, options.addresses),
      genesis: bankGenesis(state, options.addresses),
      invariants: { running: {}, full: { "supply-equals-balances": supplyEqualsBalances(state) } },
    },
  };
}

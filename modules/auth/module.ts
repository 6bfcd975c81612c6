/** Accounts, sequences, fees and signatures. State, queries, errors and events are the SDK's auth module's. */
import type { Addresses } from "../kit/addresses.ts";
import type { Schema } from "../kit/collections/schema.ts";
import type { ModuleDefinition } from "../kit/module.ts";
import type { VerifySignature } from "../kit/signature.ts";
import type { Ante } from "./ante.ts";
import { createAnte, FEE_COLLECTOR } from "./ante.ts";
import { authGenesis } from "./genesis.ts";
import { numbersMatchAccounts } from "./invariants.ts";
import type { AuthKeeper } from "./keeper.ts";
import { createAuthKeeper } from "./keeper.ts";
import type { FeeBankPort } from "./ports.ts";
import { authQueries } from "./queries.ts";
import { authState } from "./state.ts";

export interface Auth {
  readonly module: ModuleDefinition;
  readonly keeper: AuthKeeper;
  /** Bank needs accounts and the ante needs bank, so the ante comes last. */
  createAnte(ports: { readonly bank: FeeBankPort; readonly verify: VerifySignature }): Ante;
}

/** `moduleAccounts`: accounts of modules besides the fee collector, created at genesis. */
export function createAuth(
  schema: Schema,
  options: {
    readonly addresses: Addresses;
    readonly moduleAccounts: readonly {
      readonly name: string;
      readonly permissions: readonly string[];
    }[];
  },
): Auth {
  const { addresses } = options;
  const state = authState(schema, addresses);
  const keeper = createAuthKeeper(state);
  const modules = [{ name: FEE_COLLECTOR, permissions: [] }, ...options.moduleAccounts];
  return {
    keeper,
    createAnte: (ports) => createAnte({ ...ports, keeper, state, addresses }),
    module: {
      name: "auth",
      version: 5,
      messages: [],
      queries: authQueries(state, addresses),
      genesis: authGenesis(state, keeper, addresses, modules),
      invariants: { running: {}, full: { "numbers-match-accounts": numbersMatchAccounts(state) } },
    },
  };
}

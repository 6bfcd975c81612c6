/** Genesis of the guard. */
import { GenesisState } from "@keel/proto/gen/keel/guard/v1/genesis";
import type { Addresses } from "../kit/addresses.ts";
import type { GenesisHooks } from "../kit/module.ts";
import { onGenesis } from "../kit/module.ts";
import { refuse } from "./errors.ts";
import { validateParams, withAuthority } from "./params.ts";
import type { GuardState } from "./state.ts";

export function guardGenesis(state: GuardState, addresses: Addresses): GenesisHooks {
  return onGenesis({
    typeName: "keel.guard.v1.GenesisState",
    codec: GenesisState,
    init(ctx, { params }) {
      if (params === undefined) throw refuse("invalidRequest", "guard genesis: no params");
      validateParams(params, addresses);
      state.params.set(ctx, withAuthority(params, addresses));
    },
    export: (ctx) => ({ params: state.params.require(ctx) }),
  });
}

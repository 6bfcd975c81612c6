/** Genesis of insurance. Each fund's coins must lie in the collateral vault in bank genesis; margin's invariant compares them. */
import { GenesisState } from "@keel/proto/gen/keel/insurance/v1/genesis";
import type { Addresses } from "../kit/addresses.ts";
import type { GenesisHooks } from "../kit/module.ts";
import { onGenesis } from "../kit/module.ts";
import { refuse } from "./errors.ts";
import { fundFault } from "./invariants.ts";
import { validateParams, withAuthority } from "./params.ts";
import type { InsuranceState } from "./state.ts";
import { fundFromMessage, fundToMessage } from "./state.ts";

export function insuranceGenesis(state: InsuranceState, addresses: Addresses): GenesisHooks {
  return onGenesis({
    typeName: "keel.insurance.v1.GenesisState",
    codec: GenesisState,
    init(ctx, genesis) {
      if (genesis.params === undefined) {
        throw refuse("invalidRequest", "insurance genesis: no params");
      }
      validateParams(genesis.params, addresses);
      state.params.set(ctx, withAuthority(genesis.params, addresses));
      for (const message of genesis.funds) {
        const fund = fundFromMessage(message);
        const fault = fundFault(fund);
        if (fault !== null) throw refuse("invalidRequest", `insurance genesis: ${fault}`);
        state.funds.set(ctx, fund.denom, fund);
      }
    },
    export(ctx) {
      const funds: GenesisState["funds"] = [];
      state.funds.each(ctx, (_denom, fund) => {
        funds.push(fundToMessage(fund));
      });
      return { params: state.params.require(ctx), funds };
    },
  });
}

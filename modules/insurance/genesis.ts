/** Genesis of insurance. Each fund's coins must lie in the collateral vault in bank genesis; margin's invariant compares them. */
import { GenesisState } from "@keel/proto/gen/keel/insurance/v1/genesis";
import type { Addresses } from "../kit/addresses.ts";
import { withAuthority } from "../kit/authority.ts";
import type { GenesisHooks } from "../kit/module.ts";
import { onGenesis } from "../kit/module.ts";
import { refuse } from "./errors.ts";
import { fundFault, sharesFault } from "./invariants.ts";
import { validateParams } from "./params.ts";
import type { InsuranceState } from "./state.ts";
import {
  fundFromMessage,
  fundId,
  fundToMessage,
  underwriterFromMessage,
  underwriterToMessage,
} from "./state.ts";

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
        const id = fundId(fund.denom, fund.riskClass);
        if (state.funds.has(ctx, id)) {
          throw refuse("invalidRequest", `insurance genesis: fund ${id} is there twice`);
        }
        state.funds.set(ctx, id, fund);
      }
      if (genesis.noticeFloorNs > 0n) state.noticeFloor.set(ctx, genesis.noticeFloorNs);
      for (const message of genesis.underwriters) {
        const owner = addresses.parse(message.owner);
        const id = fundId(message.denom, message.riskClass);
        const key = [owner, id] as const;
        if (state.underwriters.has(ctx, key)) {
          throw refuse("invalidRequest", `insurance genesis: ${message.owner} is there twice`);
        }
        const underwriter = underwriterFromMessage(message);
        state.underwriters.set(ctx, key, underwriter);
        if (underwriter.leaving > 0n)
          state.leaving.set(ctx, [id, [underwriter.leavesAtNs, owner]], true);
      }
      const shared = sharesFault(ctx, state);
      if (shared !== null) throw refuse("invalidRequest", `insurance genesis: ${shared}`);
    },
    export(ctx) {
      const funds: GenesisState["funds"] = [];
      state.funds.each(ctx, (_denom, fund) => {
        funds.push(fundToMessage(fund));
      });
      const underwriters: GenesisState["underwriters"] = [];
      state.underwriters.each(ctx, ([owner, id], underwriter) => {
        underwriters.push(underwriterToMessage(underwriter, addresses.format(owner), id));
      });
      const noticeFloorNs = state.noticeFloor.get(ctx) ?? 0n;
      return { params: state.params.require(ctx), funds, underwriters, noticeFloorNs };
    },
  });
}

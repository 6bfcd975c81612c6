/** Genesis of the vault. Its collateral and positions are in margin's; holders, queue and totals must agree before the first block. */
import { GenesisState } from "@keel/proto/gen/keel/vault/v1/genesis";
import type { Addresses } from "../kit/addresses.ts";
import { withAuthority } from "../kit/authority.ts";
import type { GenesisHooks } from "../kit/module.ts";
import { onGenesis } from "../kit/module.ts";
import { refuse } from "./errors.ts";
import { queueFault, sharesFault } from "./invariants.ts";
import { validateParams, validateTerms } from "./params.ts";
import type { VaultPorts } from "./ports.ts";
import {
  estimateFromMessage,
  estimateToMessage,
  holderFromMessage,
  holderToMessage,
  marketFromMessage,
  marketToMessage,
  NO_TOTALS,
  totalsFromMessage,
  totalsToMessage,
  withdrawalFromMessage,
  withdrawalToMessage,
} from "./records.ts";
import type { VaultState } from "./state.ts";

export function vaultGenesis(
  state: VaultState,
  { addresses, venue }: { readonly addresses: Addresses; readonly venue: VaultPorts["venue"] },
): GenesisHooks {
  return onGenesis({
    typeName: "keel.vault.v1.GenesisState",
    codec: GenesisState,
    init(ctx, genesis) {
      const { params, totals } = genesis;
      if (params === undefined) throw refuse("invalidRequest", "vault genesis: no params");
      validateParams(params, addresses);
      state.params.set(ctx, withAuthority(params, addresses));
      state.totals.set(ctx, totals === undefined ? NO_TOTALS : totalsFromMessage(totals));
      for (const { address, holder } of genesis.holders) {
        if (holder === undefined) throw refuse("invalidRequest", "vault genesis: an empty holder");
        state.holders.set(ctx, addresses.parse(address), holderFromMessage(holder));
      }
      for (const message of genesis.markets) {
        const record = marketFromMessage(message);
        validateTerms(record.terms);
        const market = venue.terms(ctx, record.market);
        // It has expired and is gone, and the vault had not yet come to forget it.
        if (market === undefined) continue;
        if (market.tiers.length === 0) {
          throw refuse("unknownMarket", `vault genesis: market ${record.market} cannot be quoted`);
        }
        state.markets.set(ctx, record.market, record);
      }
      for (const message of genesis.estimates) {
        if (!state.markets.has(ctx, message.market)) continue;
        state.estimates.set(ctx, message.market, estimateFromMessage(message));
      }
      for (const message of genesis.withdrawals) {
        state.withdrawals.set(ctx, message.id, withdrawalFromMessage(message));
      }
      const fault = sharesFault(ctx, state) ?? queueFault(ctx, state);
      if (fault !== null) throw refuse("invalidRequest", `vault genesis: ${fault}`);
    },
    export(ctx) {
      const genesis: GenesisState = {
        params: state.params.require(ctx),
        totals: totalsToMessage(state.totals.require(ctx)),
        holders: [],
        markets: [],
        estimates: [],
        withdrawals: [],
      };
      state.holders.each(ctx, (address, holder) => {
        genesis.holders.push({
          address: addresses.format(address),
          holder: holderToMessage(holder),
        });
      });
      state.markets.each(ctx, (_id, record) => void genesis.markets.push(marketToMessage(record)));
      state.estimates.each(
        ctx,
        (_id, estimate) => void genesis.estimates.push(estimateToMessage(estimate)),
      );
      state.withdrawals.each(
        ctx,
        (_id, entry) => void genesis.withdrawals.push(withdrawalToMessage(entry)),
      );
      return genesis;
    },
  });
}

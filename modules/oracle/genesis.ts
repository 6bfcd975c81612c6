/** Genesis of oracle. Validator sets come from InitChain; an export carries them with prices and counters. */
import { GenesisState } from "@keel/proto/gen/keel/oracle/v1/genesis";
import type { Addresses } from "../kit/addresses.ts";
import { withAuthority } from "../kit/authority.ts";
import type { GenesisHooks } from "../kit/module.ts";
import { onGenesis } from "../kit/module.ts";
import { refuse } from "./errors.ts";
import { putFeed, validateParams } from "./feeds.ts";
import { exportGuards, initGuards } from "./guard/genesis.ts";
import { MANTISSA_LIMIT } from "./limits.ts";
import type { OracleState } from "./state.ts";
import { exportSurfaces, initSurfaces } from "./surface/genesis.ts";

export function oracleGenesis(state: OracleState, addresses: Addresses): GenesisHooks {
  return onGenesis({
    typeName: "keel.oracle.v1.GenesisState",
    codec: GenesisState,
    init(ctx, genesis) {
      if (genesis.params === undefined) throw refuse("invalidRequest", "oracle genesis: no params");
      validateParams(genesis.params, addresses);
      state.params.set(ctx, withAuthority(genesis.params, addresses));
      for (const feed of genesis.feeds) putFeed(ctx, state, feed);
      for (const price of genesis.prices) {
        if (!state.feeds.has(ctx, price.feedId) || price.mantissa <= 0n) {
          throw refuse("invalidRequest", `oracle genesis: bad price of feed ${price.feedId}`);
        }
        if (price.mantissa >= MANTISSA_LIMIT) {
          throw refuse("invalidRequest", `oracle genesis: price of feed ${price.feedId} too large`);
        }
        state.prices.set(ctx, price.feedId, price);
      }
      const first = BigInt(ctx.header.height);
      // A chain that begins lower has had none of these heights: the last set signs from its first block on, or it would once more at its old height.
      for (const set of genesis.validatorSets) {
        const fromHeight = set.fromHeight < first ? set.fromHeight : first;
        state.validatorSets.set(ctx, Number(fromHeight), { ...set, fromHeight });
      }
      if (genesis.reports !== undefined) {
        const { lastHeight } = genesis.reports;
        state.reports.set(ctx, {
          ...genesis.reports,
          lastHeight: lastHeight > first ? 0n : lastHeight,
        });
      }
      initSurfaces(ctx, state, genesis);
      initGuards(ctx, state, genesis);
    },
    export(ctx) {
      const genesis: GenesisState = {
        params: state.params.require(ctx),
        feeds: [],
        prices: [],
        validatorSets: [],
        reports: state.reports.get(ctx),
        ...exportSurfaces(ctx, state),
        ...exportGuards(ctx, state),
      };
      state.feeds.each(ctx, (_id, feed) => {
        genesis.feeds.push(feed);
      });
      state.prices.each(ctx, (_id, price) => {
        genesis.prices.push(price);
      });
      state.validatorSets.each(ctx, (_height, set) => {
        genesis.validatorSets.push(set);
      });
      return genesis;
    },
  });
}

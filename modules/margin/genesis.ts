/** Genesis of margin. Accounts, ledgers and totals must agree before the first block; the active index is rebuilt. */
import { GenesisState } from "@keel/proto/gen/keel/margin/v1/genesis";
import { accountId, numberOf, ownerOf } from "../kit/account-id.ts";
import type { Addresses } from "../kit/addresses.ts";
import { withAuthority } from "../kit/authority.ts";
import type { GenesisHooks } from "../kit/module.ts";
import { onGenesis } from "../kit/module.ts";
import type { Totals } from "./account-codec.ts";
import {
  accountFromMessage,
  accountToMessage,
  deficitFromMessage,
  deficitToMessage,
  ledgerFromMessage,
  ledgerToMessage,
  totalsFromMessage,
  totalsToMessage,
} from "./account-codec.ts";
import { exportAssets, initAssets } from "./collateral-assets/genesis.ts";
import { assetsHeldFault } from "./collateral-assets/invariants.ts";
import { exportCustody, initCustody } from "./custody/genesis.ts";
import { refuse } from "./errors.ts";
import { exportLadder, initLadder } from "./liquidation/genesis.ts";
import { validateParams } from "./params.ts";
import { portfolioFault } from "./portfolio/mode.ts";
import { validateModel } from "./portfolio/model.ts";
import { scanFault } from "./scan.ts";
import type { MarginState } from "./state.ts";
import { exportVolatility, initVolatility } from "./volatility/genesis.ts";
import { advancesFault } from "./waterfall/advances.ts";
import { exportWaterfall, initWaterfall } from "./waterfall/genesis.ts";

const NOTHING: Totals = {
  collateral: 0n,
  feesHeld: 0n,
  pendingShortfall: 0n,
  netDeposits: 0n,
  accounts: 0n,
};

export function marginGenesis(state: MarginState, addresses: Addresses): GenesisHooks {
  return onGenesis({
    typeName: "keel.margin.v1.GenesisState",
    codec: GenesisState,
    init(ctx, genesis) {
      if (genesis.params === undefined) throw refuse("invalidRequest", "margin genesis: no params");
      validateParams(genesis.params, addresses);
      state.params.set(ctx, withAuthority(genesis.params, addresses));
      const { totals } = genesis;
      state.totals.set(ctx, totals === undefined ? NOTHING : totalsFromMessage(totals));
      for (const { id, account } of genesis.accounts) {
        if (id === undefined || account === undefined) {
          throw refuse("invalidRequest", "margin genesis: an account without id or content");
        }
        const key = accountId(addresses.parse(id.owner), id.number);
        const value = accountFromMessage(account);
        state.accounts.set(ctx, key, value);
        if (value.portfolio) state.portfolios.set(ctx, key, true);
        if (value.positions.some((position) => position.lots !== 0n)) {
          state.active.set(ctx, key, true);
        }
      }
      for (const ledger of genesis.markets) {
        state.ledgers.set(ctx, ledger.market, ledgerFromMessage(ledger));
      }
      for (const deficit of genesis.deficits) {
        const key = accountId(addresses.parse(deficit.owner), deficit.subaccount);
        state.deficits.set(ctx, key, deficitFromMessage(deficit));
      }
      if (genesis.gate !== undefined) state.gate.set(ctx, genesis.gate);
      if (genesis.sweep !== undefined) state.sweep.set(ctx, genesis.sweep);
      for (const market of genesis.sweepMarkets) state.sweepMarkets.set(ctx, market, true);
      for (const { owner, sinceNs, subaccount } of genesis.unfilled) {
        state.unfilled.set(ctx, accountId(addresses.parse(owner), subaccount), sinceNs);
      }
      initVolatility(ctx, state.volatility, genesis);
      initLadder(ctx, state.ladder, genesis, addresses);
      if (genesis.portfolioModel !== undefined) {
        validateModel(genesis.portfolioModel);
        state.portfolioModel.set(ctx, genesis.portfolioModel);
      }
      initCustody(ctx, state, addresses, genesis.custody);
      initWaterfall(ctx, state.waterfall, genesis, addresses);
      initAssets(ctx, state.assets, genesis, addresses);
      const fault =
        scanFault(ctx, state) ??
        portfolioFault(ctx, state) ??
        assetsHeldFault(ctx, state) ??
        advancesFault(ctx, state);
      if (fault !== null) throw refuse("invalidRequest", `margin genesis: ${fault}`);
    },
    export(ctx) {
      const genesis: GenesisState = {
        params: state.params.require(ctx),
        accounts: [],
        markets: [],
        totals: totalsToMessage(state.totals.require(ctx)),
        deficits: [],
        gate: state.gate.get(ctx),
        sweep: state.sweep.get(ctx),
        sweepMarkets: [],
        unfilled: [],
        ...exportVolatility(ctx, state.volatility),
        ...exportLadder(ctx, state.ladder),
        ...exportWaterfall(ctx, state.waterfall, addresses),
        ...exportAssets(ctx, state.assets, addresses),
        portfolioModel: state.portfolioModel.get(ctx),
        custody: exportCustody(ctx, state, addresses),
      };
      state.unfilled.each(ctx, (id, sinceNs) => {
        const owner = addresses.format(ownerOf(id));
        genesis.unfilled.push({ owner, subaccount: numberOf(id), sinceNs });
      });
      state.sweepMarkets.each(ctx, (market) => void genesis.sweepMarkets.push(market));
      state.accounts.each(ctx, (id, account) => {
        genesis.accounts.push({
          id: { owner: addresses.format(ownerOf(id)), number: numberOf(id) },
          account: accountToMessage(account),
        });
      });
      state.ledgers.each(ctx, (_market, ledger) => {
        genesis.markets.push(ledgerToMessage(ledger));
      });
      state.deficits.each(ctx, (_id, deficit) => {
        genesis.deficits.push(deficitToMessage(deficit));
      });
      return genesis;
    },
  });
}

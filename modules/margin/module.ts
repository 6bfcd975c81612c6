/** The margin module: accounts, requirements, clearing, liquidation. */
import type { Schema } from "../kit/collections/schema.ts";
import type { ModuleDefinition } from "../kit/module.ts";
import { custodyMessages } from "./custody/messages.ts";
import { custodyQueries } from "./custody/queries.ts";
import { marginGenesis } from "./genesis.ts";
import { guardedMarkets, UNGUARDED } from "./health/guarded-markets.ts";
import { modelledMarkets } from "./health/modelled-markets.ts";
import { marginInvariants } from "./invariants.ts";
import type { MarginKeeper, MarginPorts } from "./keeper.ts";
import { createKeeper } from "./keeper.ts";
import { bidMessage } from "./liquidation/messages.ts";
import { ladderQueries } from "./liquidation/queries.ts";
import { marginMessages } from "./messages.ts";
import { marginQueries } from "./queries.ts";
import type { MarginState } from "./state.ts";
import { marginState } from "./state.ts";
import { volatilityQuery } from "./volatility/queries.ts";
import { scaledMarkets } from "./volatility/scaled-markets.ts";
import { createVolatility, type Volatility } from "./volatility/volatility.ts";
import { waterfallQueries } from "./waterfall/queries.ts";

export interface Margin {
  readonly module: ModuleDefinition;
  readonly keeper: MarginKeeper;
  readonly volatility: Volatility;
  /** For invariant tests and simulation only. */
  readonly state: MarginState;
}

export function createMargin(schema: Schema, given: MarginPorts): Margin {
  const state = marginState(schema);
  const guarded = guardedMarkets(given.guard ?? UNGUARDED, given.markets);
  const scaled = scaledMarkets(state.volatility, guarded);
  const ports = { ...given, markets: modelledMarkets(state, scaled, given.prices) };
  const volatility = createVolatility(state.volatility, ports.prices);
  const keeper = createKeeper(state, ports);
  return {
    keeper,
    volatility,
    state,
    module: {
      name: "margin",
      version: 1,
      messages: [
        ...marginMessages(state, keeper, volatility, ports),
        ...custodyMessages(keeper.custody, ports.addresses),
        bidMessage(keeper.ladder.bids, ports.markets, ports.addresses),
      ],
      queries: [
        ...marginQueries(state, ports),
        ...custodyQueries(state, ports.addresses),
        volatilityQuery(state.volatility, volatility),
        ...ladderQueries(state, ports.markets, keeper.ladder),
        ...waterfallQueries(state, ports),
      ],
      genesis: marginGenesis(state, ports.addresses),
      beginBlock: (ctx) => volatility.sample(ctx),
      endBlock: (ctx) => keeper.endBlock(ctx),
      invariants: marginInvariants(state, ports),
    },
  };
}

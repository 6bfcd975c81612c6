/** Genesis of the laboratory's chain: everybody holds from the start what it wanted and was allowed, so no trade is needed to get there. */
import { defaultParams } from "@keel/modules/derivatives/defaults";
import { defaultParams as insuranceParams } from "@keel/modules/insurance/params";
import { createAddresses } from "@keel/modules/kit/addresses";
import { defaultParams as marginParams } from "@keel/modules/margin/params";
import { COLLATERAL_VAULT } from "@keel/modules/margin/state";
import { messageToJson } from "@keel/node/app/genesis";
import { vaultParamsJson } from "@keel/node/app/testing/market-genesis";
import { GenesisState as DerivativesGenesis } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import { GenesisState as GuardGenesis } from "@keel/proto/gen/keel/guard/v1/genesis";
import type { Params as GuardParams } from "@keel/proto/gen/keel/guard/v1/types";
import { GenesisState as InsuranceGenesis } from "@keel/proto/gen/keel/insurance/v1/genesis";
import type { DynamicMargin } from "@keel/proto/gen/keel/margin/v1/dynamic";
import { GenesisState as MarginGenesis } from "@keel/proto/gen/keel/margin/v1/genesis";
import type { Params, Position } from "@keel/proto/gen/keel/margin/v1/types";
import type { WaterfallParams } from "@keel/proto/gen/keel/margin/v1/waterfall";
import { FULL_SIZE } from "../agents/depth.ts";
import type { Agent, Opening } from "../agents/population.ts";
import { type Brakes, guardOf } from "./brakes.ts";
import { DENOM, FEEDS, type Listing, START_PRICES, VOLATILITY_FEED } from "./markets.ts";

export const PREFIX = "keel";
const QUANTA = 1_000_000n;
/** What accounts beyond the agents (attackers, the vault's depositor) may spend. */
const EXTRA_WEALTH = 100_000_000n * QUANTA;

export interface GenesisChoices {
  readonly agents: readonly Agent[];
  /** Addresses of the agents in their order, then of the extra accounts, the last one the authority. */
  readonly addresses: readonly string[];
  readonly opening: Opening;
  readonly listings: readonly Listing[];
  /** Settlement units. */
  readonly fund: number;
  readonly margin?: Partial<Params>;
  readonly dynamic?: readonly DynamicMargin[];
  readonly drawCapPpm?: number;
  readonly waterfall?: Partial<WaterfallParams>;
  readonly brakes?: Brakes | undefined;
}

export const quantaOf = (units: number): bigint => BigInt(Math.round(units * 1_000_000));

interface Held {
  readonly market: number;
  readonly lots: bigint;
  readonly quote: bigint;
}

/** Lots of every agent in every market; what rounding leaves is the last maker's. */
export function holdings({ agents, opening, listings }: GenesisChoices): Held[][] {
  const held = agents.map((): Held[] => []);
  const makers = agents.filter(({ role }) => role === "maker");
  for (const [i, listing] of listings.entries()) {
    const lots = agents.map((agent) => {
      const price = START_PRICES[listing.underlying] ?? 1;
      const notional = listing.option
        ? -(agent.optionsSold * agent.collateral) / 2
        : (opening.notional[agent.index]?.[listing.underlying] ?? 0);
      return BigInt(Math.trunc(notional / price / listing.lot));
    });
    share(makers, lots);
    for (const { index } of agents) {
      const own = lots[index] ?? 0n;
      if (own !== 0n)
        held[index]?.push({ market: i + 1, lots: own, quote: -own * listing.openedAt });
    }
  }
  return held;
}

/** Makers take what is missing to zero, in equal parts. */
function share(makers: readonly Agent[], lots: bigint[]): void {
  const count = BigInt(makers.length);
  const net = (): bigint => lots.reduce((sum, one) => sum + one, 0n);
  const part = -net() / count;
  for (const { index } of makers) lots[index] = (lots[index] ?? 0n) + part;
  const last = makers.at(-1);
  if (last !== undefined) lots[last.index] = (lots[last.index] ?? 0n) - net();
}

export function appState(choices: GenesisChoices): Record<string, unknown> {
  const { agents, addresses, listings } = choices;
  const authority = addresses.at(-1) as string;
  const held = holdings(choices);
  const fund = quantaOf(choices.fund);
  const collateral = agents.reduce((sum, agent) => sum + quantaOf(agent.collateral), 0n);
  const vault = createAddresses(PREFIX).format(COLLATERAL_VAULT);
  const coins = (amount: bigint) => [{ denom: DENOM, amount: `${amount}` }];
  return {
    auth: {
      accounts: addresses.map((address, number) => ({
        "@type": "/cosmos.auth.v1beta1.BaseAccount",
        ...{ address, account_number: `${number}`, sequence: "0" },
      })),
    },
    bank: {
      balances: [
        { address: vault, coins: coins(collateral + fund) },
        ...addresses.map((address, i) => {
          const agent = agents[i];
          const wealth = agent === undefined ? EXTRA_WEALTH : quantaOf(agent.reserve) + QUANTA;
          return { address, coins: coins(wealth) };
        }),
      ],
    },
    oracle: oracleState(authority),
    insurance: messageToJson(
      "keel.insurance.v1.GenesisState",
      InsuranceGenesis.encode(
        InsuranceGenesis.fromPartial({
          params: { ...insuranceParams(), authority, drawCapPpm: choices.drawCapPpm ?? 0 },
          funds: [
            { denom: DENOM, balance: `${fund}`, funded: `${fund}`, received: "0", paid: "0" },
          ],
        }),
      ).finish(),
    ),
    margin: messageToJson(
      "keel.margin.v1.GenesisState",
      MarginGenesis.encode(marginState(choices, held, collateral, authority)).finish(),
    ),
    derivatives: messageToJson(
      "keel.derivatives.v1.GenesisState",
      DerivativesGenesis.encode(
        DerivativesGenesis.fromPartial({
          params: { ...defaultParams(), authority },
          markets: listings.map(({ market }) => ({ market })),
        }),
      ).finish(),
    ),
    vault: { params: { ...(vaultParamsJson as object), authority } },
    guard: messageToJson(
      "keel.guard.v1.GenesisState",
      GuardGenesis.encode(guardState(choices, authority)).finish(),
    ),
  };
}

function guardState({ agents, brakes, listings }: GenesisChoices, authority: string): GuardGenesis {
  if (brakes === undefined) return GuardGenesis.fromPartial({ params: { authority } });
  const size = agents.length / FULL_SIZE;
  const guarded = listings.flatMap(({ option, openedAt }, i) => {
    const unitLots = BigInt(Math.ceil((1e12 / Number(openedAt)) * size));
    return option ? [] : [{ market: i + 1, unitLots }];
  });
  const guard = guardOf(guarded, size, brakes);
  return { ...guard, params: { ...guard.params, authority } as GuardParams };
}

function longLots(held: readonly (readonly Held[])[], market: number): bigint {
  return held
    .flat()
    .reduce((sum, one) => (one.market === market && one.lots > 0n ? sum + one.lots : sum), 0n);
}

function marginState(
  choices: GenesisChoices,
  held: readonly (readonly Held[])[],
  collateral: bigint,
  authority: string,
): MarginGenesis {
  const positions = (agent: Agent): Position[] =>
    (held[agent.index] ?? []).map((one) => ({
      ...{ market: one.market, lots: one.lots, quote: `${one.quote}` },
      ...{ fundingIndex: 0n, openBuyLots: 0n, openSellLots: 0n },
    }));
  return MarginGenesis.fromPartial({
    params: { ...marginParams(DENOM), authority, ...choices.margin },
    accounts: choices.agents.map((agent) => ({
      id: { owner: choices.addresses[agent.index] ?? "", number: 0 },
      account: {
        collateral: `${quantaOf(agent.collateral)}`,
        feeReserve: "0",
        positions: positions(agent),
      },
    })),
    markets: choices.listings.flatMap((_, i) => {
      const all = held.flat().filter(({ market }) => market === i + 1);
      if (all.length === 0) return [];
      const long = longLots(held, i + 1);
      return [
        {
          ...{ market: i + 1, openQuote: "0", fundingWeight: "0", realised: "0" },
          ...{ longLots: long, shortLots: long, positions: BigInt(all.length) },
        },
      ];
    }),
    totals: {
      ...{ collateral: `${collateral}`, netDeposits: `${collateral}` },
      ...{ feesHeld: "0", pendingShortfall: "0", accounts: BigInt(choices.agents.length) },
    },
    dynamicMargin: [...(choices.dynamic ?? [])],
    ...(choices.waterfall === undefined ? {} : { waterfall: choices.waterfall }),
  });
}

function oracleState(authority: string): unknown {
  const feeds = [
    ...FEEDS.map((id, i) => ({ id, symbol: `${["BTC", "ETH"][i]}-USD` })),
    { id: VOLATILITY_FEED, symbol: "BTC.VOL-USD" },
  ];
  return {
    params: { authority, ema_time_ms: "30000", report_window_blocks: "1000" },
    feeds: feeds.map((feed) => ({
      ...feed,
      ...{ exponent: -4, max_age_ms: "15000", min_reporting_power_ppm: "666667" },
      ...{ max_deviation_ppm: "10000", enabled: true },
    })),
  };
}

/** A genesis document from a few choices: what `keeld init` and local networks start from. */

import { formatGenesis, type GenesisDoc } from "@keel/consensus/wire/genesis";
import { ed25519Address } from "@keel/consensus/wire/keys";
import { defaultConsensusParams } from "@keel/consensus/wire/params";
import {
  defaultTerms,
  defaultParams as derivativesParams,
} from "@keel/modules/derivatives/defaults";
import { defaultParams as guardParams } from "@keel/modules/guard/params";
import { defaultParams as insuranceParams } from "@keel/modules/insurance/params";
import { createAddresses } from "@keel/modules/kit/addresses";
import { maximum, minimum } from "@keel/modules/kit/math/mul-div";
import type { ProtoCodec } from "@keel/modules/kit/module";
import { defaultParams as marginParams } from "@keel/modules/margin/params";
import { COLLATERAL_VAULT } from "@keel/modules/margin/state";
import { defaultFeed, defaultParams as oracleParams } from "@keel/modules/oracle/feeds";
import { MAX_AGE_MS_CEILING } from "@keel/modules/oracle/limits";
import { defaultSurface } from "@keel/modules/oracle/surface/surfaces";
import {
  defaultParams as vaultParams,
  defaultTerms as vaultTerms,
} from "@keel/modules/vault/params";
import type { Timestamp } from "@keel/proto/bytes/timestamp";
import { GenesisState as DerivativesGenesis } from "@keel/proto/gen/keel/derivatives/v1/genesis";
import type { Market, MarketTerms } from "@keel/proto/gen/keel/derivatives/v1/types";
import { GenesisState as GuardGenesis } from "@keel/proto/gen/keel/guard/v1/genesis";
import { GenesisState as InsuranceGenesis } from "@keel/proto/gen/keel/insurance/v1/genesis";
import { Fund as InsuranceFund } from "@keel/proto/gen/keel/insurance/v1/types";
import { GenesisState as MarginGenesis } from "@keel/proto/gen/keel/margin/v1/genesis";
import { GenesisState as OracleGenesis } from "@keel/proto/gen/keel/oracle/v1/genesis";
import type { Surface } from "@keel/proto/gen/keel/oracle/v1/types";
import { GenesisState as VaultGenesis } from "@keel/proto/gen/keel/vault/v1/genesis";
import type { Params as VaultParams } from "@keel/proto/gen/keel/vault/v1/types";
import { messageToJson } from "../app/genesis.ts";
import type { ClearingHouse, Site } from "./clearing-house.ts";
import * as house from "./clearing-house.ts";
import { defaultMarket, defaultOptionSeries } from "./market.ts";
import { ADDRESS_PREFIX_DEFAULT } from "./prefix.ts";

export interface GenesisAccount {
  readonly address: string;
  /** Ascending by denom. */
  readonly coins: readonly { readonly denom: string; readonly amount: bigint }[];
}

export interface GenesisChoices {
  readonly chainId: string;
  readonly genesisTime: Timestamp;
  readonly validators: readonly {
    readonly pubKey: Uint8Array;
    readonly power: bigint;
    readonly name: string;
  }[];
  readonly accounts: readonly GenesisAccount[];
  /** Who may change feeds, markets and parameters; null: the governance module account. */
  readonly authority: string | null;
  readonly addressPrefix?: string;
  readonly stakeDenom?: string;
  readonly settlementDenom?: string;
  readonly market?: Partial<Market>;
  /** How old a price may be before it is stale. */
  readonly priceMaxAgeMs?: number;
  /** What lies in the insurance fund at the start, in quanta. */
  readonly insuranceFund?: bigint;
  /** The vault quotes the market, with default terms, once somebody has put money into it. */
  readonly vaultQuotes?: boolean;
  readonly vaultParams?: Partial<VaultParams>;
  /** With all that protects a market from its worst day. */
  readonly clearingHouse?: ClearingHouse;
  /** A volatility surface on the index, and a series of options marked by it. */
  readonly options?: boolean;
  /** First height with prices in votes; 0 never. */
  readonly voteExtensionsEnableHeight?: number;
}

export const SETTLEMENT_DENOM_DEFAULT = "uusdc";
export const STAKE_DENOM_DEFAULT = "ukeel";
export const FEED_SYMBOL = "BTC-USD";
const SURFACE_SYMBOL = "BTC-VOL";
const SURFACE_ID = 1;
/**
 * About a thousand orders by their gas limits. A block must be executed well within the propose timeout on a small machine, or an overloaded
 * network spends its time executing one proposal after another; what does not fit waits one interval.
 */
const BLOCK_GAS_MAX = 500_000_000n;
const FEED_ID = 1;
const FEED_EXPONENT = -8;
const FIRST_MARKET_ID = 1;

export function createGenesis(choices: GenesisChoices): GenesisDoc {
  const addressPrefix = choices.addressPrefix ?? ADDRESS_PREFIX_DEFAULT;
  const settlementDenom = choices.settlementDenom ?? SETTLEMENT_DENOM_DEFAULT;
  const stakeDenom = choices.stakeDenom ?? STAKE_DENOM_DEFAULT;
  const fund = choices.insuranceFund ?? 0n;
  const vault = createAddresses(addressPrefix).format(COLLATERAL_VAULT);
  const balances = [
    ...choices.accounts,
    ...(fund > 0n ? [{ address: vault, coins: [{ denom: settlementDenom, amount: fund }] }] : []),
  ];
  return {
    genesisTime: choices.genesisTime,
    chainId: choices.chainId,
    initialHeight: 1,
    consensusParams: {
      ...defaultConsensusParams,
      block: { ...defaultConsensusParams.block, maxGas: BLOCK_GAS_MAX },
      abci: { voteExtensionsEnableHeight: choices.voteExtensionsEnableHeight ?? 1 },
    },
    validators: choices.validators.map(({ pubKey, power, name }) => ({
      address: ed25519Address(pubKey),
      pubKey,
      power,
      name,
    })),
    appHash: new Uint8Array(0),
    appState: {
      auth: {
        bech32_prefix: addressPrefix,
        params: {},
        accounts: choices.accounts.map(({ address }) => ({
          "@type": "/cosmos.auth.v1beta1.BaseAccount",
          address,
        })),
      },
      bank: {
        balances: balances.map(({ address, coins }) => ({
          address,
          coins: coins.map(({ denom, amount }) => ({ denom, amount: amount.toString() })),
        })),
        denom_metadata: [
          metadata(stakeDenom, "KEEL", "Stake and fees."),
          metadata(settlementDenom, "USDC", "Settlement asset."),
        ],
      },
      ...moduleStates(choices, { settlementDenom, authority: choices.authority ?? "", fund }),
    },
  };
}

/** The native modules' genesis states, as their own records and then as JSON under proto names. */
function moduleStates(
  choices: GenesisChoices,
  {
    settlementDenom,
    authority,
    fund,
  }: { readonly settlementDenom: string; readonly authority: string; readonly fund: bigint },
): Record<string, unknown> {
  const feed = defaultFeed({ id: FEED_ID, symbol: FEED_SYMBOL, exponent: FEED_EXPONENT });
  const maxAgeMs =
    choices.priceMaxAgeMs === undefined ? feed.maxAgeMs : BigInt(choices.priceMaxAgeMs);
  const funded = fund.toString();
  const shared = InsuranceFund.fromPartial({
    ...{ denom: settlementDenom, balance: funded, funded, received: "0", paid: "0" },
  });
  const whole = choices.clearingHouse;
  const site: Site = { feedId: FEED_ID, marketId: FIRST_MARKET_ID, settlementDenom, maxAgeMs };
  const plain = defaultMarket(FEED_ID);
  const terms: MarketTerms = { ...defaultTerms(), ...(whole && house.guardedTerms()) };
  const market = { ...plain, terms, ...choices.market };
  const json = <T>(name: string, codec: ProtoCodec<T>, state: T): object =>
    messageToJson(`keel.${name}.v1.GenesisState`, codec.encode(state).finish()) as object;
  return {
    oracle: json(
      "oracle",
      OracleGenesis,
      OracleGenesis.fromPartial({
        params: { ...oracleParams(), authority },
        feeds: [{ ...feed, maxAgeMs, guard: whole && house.feedGuard(site) }],
        surfaces: choices.options === true ? [surfaceOf(maxAgeMs)] : [],
      }),
    ),
    insurance: json(
      "insurance",
      InsuranceGenesis,
      InsuranceGenesis.fromPartial({
        params: { ...insuranceParams(), ...(whole && house.insuranceParams(whole)), authority },
        funds: whole ? house.funds(shared) : fund > 0n ? [shared] : [],
      }),
    ),
    margin: {
      ...json(
        "margin",
        MarginGenesis,
        MarginGenesis.fromPartial({
          params: {
            ...marginParams(settlementDenom),
            ...(whole && house.marginParams()),
            authority,
          },
          ...(whole && house.marginState(site)),
        }),
      ),
      ...(whole && { portfolio_model: house.portfolioModelJson }),
    },
    derivatives: json(
      "derivatives",
      DerivativesGenesis,
      DerivativesGenesis.fromPartial({
        params: { ...derivativesParams(), authority },
        markets: [{ market }],
        ...(choices.options === true
          ? {
              series: [{ series: defaultOptionSeries(FEED_ID, SURFACE_ID), listed: [] }],
              ids: { lastMarketId: FIRST_MARKET_ID, lastSeriesId: 1 },
            }
          : {}),
      }),
    ),
    vault: json(
      "vault",
      VaultGenesis,
      VaultGenesis.fromPartial({
        params: { ...vaultParams(), ...choices.vaultParams, authority },
        markets:
          choices.vaultQuotes === true
            ? [{ market: FIRST_MARKET_ID, terms: vaultTerms(), contributed: "0" }]
            : [],
      }),
    ),
    guard: json(
      "guard",
      GuardGenesis,
      GuardGenesis.fromPartial({
        params: { ...guardParams(), ...(whole && house.guardParams(whole, site)), authority },
        ...(whole && house.guardState(whole, site)),
      }),
    ),
  };
}

/** As its defaults; on a chain whose time runs fast, as long as a price stays fresh, and turns as long as their blocks take. */
function surfaceOf(priceMaxAgeMs: bigint): Surface {
  const surface = defaultSurface({ id: SURFACE_ID, symbol: SURFACE_SYMBOL, feedId: FEED_ID });
  const bounded = (ms: bigint, least: bigint): bigint =>
    minimum(maximum(ms, least), MAX_AGE_MS_CEILING);
  return {
    ...surface,
    maxAgeMs: bounded(2n * priceMaxAgeMs, surface.maxAgeMs),
    holdMs: bounded(10n * priceMaxAgeMs, surface.holdMs),
    repricingAgeMaxMs: bounded(6n * priceMaxAgeMs, surface.repricingAgeMaxMs),
  };
}

/** The same as the text of a genesis file. */
export function createGenesisText(choices: GenesisChoices): string {
  return formatGenesis(createGenesis(choices));
}

function metadata(base: string, symbol: string, description: string): unknown {
  const display = base.replace(/^u/, "");
  return {
    description,
    base,
    display,
    name: symbol,
    symbol,
    denom_units: [
      { denom: base, exponent: 0 },
      { denom: display, exponent: 6 },
    ],
  };
}

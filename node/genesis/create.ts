/** A genesis document from a few choices: what `keeld init` and local networks start from. */

import { formatGenesis, type GenesisDoc } from "@keel/consensus/wire/genesis";
import { ed25519Address } from "@keel/consensus/wire/keys";
import { defaultConsensusParams } from "@keel/consensus/wire/params";
import { defaultParams as insuranceParams } from "@keel/modules/insurance/params";
import { createAddresses } from "@keel/modules/kit/addresses";
import { defaultParams as marginParams } from "@keel/modules/margin/params";
import { COLLATERAL_VAULT } from "@keel/modules/margin/state";
import { defaultFeed, defaultParams as oracleParams } from "@keel/modules/oracle/feeds";
import type { Timestamp } from "@keel/proto/bytes/timestamp";
import type { MarketListing } from "./market.ts";
import { defaultMarket, marketJson } from "./market.ts";

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
  readonly market?: Partial<MarketListing>;
  /** How old a price may be before it is stale. */
  readonly priceMaxAgeMs?: number;
  /** What lies in the insurance fund at the start, in quanta. */
  readonly insuranceFund?: bigint;
  /** First height with prices in votes; 0 never. */
  readonly voteExtensionsEnableHeight?: number;
}

export const ADDRESS_PREFIX_DEFAULT = "keel";
export const SETTLEMENT_DENOM_DEFAULT = "uusdc";
export const STAKE_DENOM_DEFAULT = "ukeel";
export const FEED_SYMBOL = "BTC-USD";
const FEED_EXPONENT = -8;

export function createGenesis(choices: GenesisChoices): GenesisDoc {
  const addressPrefix = choices.addressPrefix ?? ADDRESS_PREFIX_DEFAULT;
  const settlementDenom = choices.settlementDenom ?? SETTLEMENT_DENOM_DEFAULT;
  const stakeDenom = choices.stakeDenom ?? STAKE_DENOM_DEFAULT;
  const authority = choices.authority ?? "";
  const fund = choices.insuranceFund ?? 0n;
  const feed = defaultFeed({ id: 1, symbol: FEED_SYMBOL, exponent: FEED_EXPONENT });
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
        balances: toJson(balances),
        denom_metadata: [
          metadata(stakeDenom, "KEEL", "Stake and fees."),
          metadata(settlementDenom, "USDC", "Settlement asset."),
        ],
      },
      oracle: {
        params: toJson({ ...oracleParams(), authority }),
        feeds: [
          toJson(
            choices.priceMaxAgeMs === undefined
              ? feed
              : { ...feed, maxAgeMs: BigInt(choices.priceMaxAgeMs) },
          ),
        ],
      },
      insurance: {
        params: toJson({ ...insuranceParams(), authority }),
        funds:
          fund > 0n
            ? [
                {
                  denom: settlementDenom,
                  balance: fund.toString(),
                  funded: fund.toString(),
                  received: "0",
                  paid: "0",
                },
              ]
            : [],
      },
      margin: { params: toJson({ ...marginParams(settlementDenom), authority }) },
      derivatives: marketJson({ ...defaultMarket(feed.id), ...choices.market }, authority),
    },
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

/** Messages and records as the genesis document writes them: proto names, 64-bit numbers as text. */
export function toJson(value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      toJson(inner),
    ]),
  );
}

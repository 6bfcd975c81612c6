/** What makes a local network a market: prices, funded roles, makers with a book, and a faucet. */
import { resolve } from "node:path";
import type { KeelClient } from "@keel/client/keel-client";
import { KeelSigningClient } from "@keel/client/signing-client";
import type { FileValues } from "@keel/node/config/template";
import { readBars } from "@keel/node/feeds/csv";
import { seededRandom } from "@keel/node/feeds/random";
import type { ClearingHouse } from "@keel/node/genesis/clearing-house";
import type { GenesisAccount } from "@keel/node/genesis/create";
import type { Bot, BotOptions } from "../bots/bot.ts";
import { startMaker } from "../bots/maker.ts";
import { startTaker } from "../bots/taker.ts";
import type { RoleName, RoleWallet } from "../keys/roles.ts";
import type { Manifest } from "./manifest.ts";
import type { StartOptions } from "./start-options.ts";

export const MARKET = "BTC-USD-PERP";
export const FEED = "BTC-USD";
export const SETTLEMENT_DENOM = "uusdc";
export const STAKE_DENOM = "ukeel";

const QUANTA = 1_000_000n;
const ROLE_UNITS = 10_000_000n;
const STAKE_UNITS = 1_000_000n;
const FAUCET_UNITS = 10_000_000_000n;
const MAKER_DEPOSIT_UNITS = 5_000_000n;
const TAKER_DEPOSIT_UNITS = 500_000n;
const TAKER_ORDER_UNITS = 5_000n;
/** With prices from a file, chain time begins this long (real time) before its first row. */
const LEAD_MS = 10_000;

/** What a credit of the faucet pays. */
export const FAUCET_CREDITS: Readonly<Record<string, bigint>> = {
  [SETTLEMENT_DENOM]: 10_000n * QUANTA,
  [STAKE_DENOM]: 100n * QUANTA,
};

export const INSURANCE_FUND: bigint = 1_000_000n * QUANTA;

/** Of the vault: short enough to see a share come and go. */
export const VAULT_TIMES: { readonly lockupMs: bigint; readonly withdrawalDelayMs: bigint } = {
  lockupMs: 60_000n,
  withdrawalDelayMs: 10_000n,
};

/** Everything on. The first validator's operator has the emergency key; an underwriter can leave before its coffee is cold. */
export function clearingHouse(wallets: readonly RoleWallet[]): ClearingHouse {
  const { address } = wallets.find(({ name }) => name === "validator-1") as RoleWallet;
  return { emergencyKey: address, noticeMs: 60_000n, priceRanges: true };
}

export function genesisAccounts(wallets: readonly RoleWallet[]): GenesisAccount[] {
  return wallets.map(({ address, name }) => ({
    address,
    coins: [
      { denom: STAKE_DENOM, amount: STAKE_UNITS * QUANTA },
      {
        denom: SETTLEMENT_DENOM,
        amount: (name === "faucet" ? FAUCET_UNITS : ROLE_UNITS) * QUANTA,
      },
    ],
  }));
}

/** Chain time at the first start: now, or just before the first row of the price file. Throws one sentence on a bad file. */
export function openingTime(options: StartOptions): { wallMs: number; genesisMs: number } {
  const wallMs = Date.now();
  if (options.prices === null) return { wallMs, genesisMs: wallMs };
  const first = readBars(options.prices).bars[0]?.openTimeMs ?? wallMs;
  return { wallMs, genesisMs: first - LEAD_MS * options.scale };
}

export function priceValues(manifest: Manifest): FileValues {
  const { prices, scale, wallMs, genesisMs, seed } = manifest;
  const realTime = scale === 1 && wallMs === genesisMs;
  return {
    "oracle.surfaces": "model",
    ...(realTime
      ? {}
      : {
          "clock.scale": scale,
          "clock.anchor-chain": new Date(genesisMs).toISOString(),
          "clock.anchor-wall": new Date(wallMs).toISOString(),
        }),
    ...(prices === null
      ? { "oracle.source": "generator", "oracle.seed": seed }
      : { "oracle.source": "csv", "oracle.file": resolve(prices) }),
  };
}

/** Two makers and a taker: a book that is alive. They fund themselves from their wallets. */
export async function startBots(
  chain: KeelClient,
  wallets: readonly RoleWallet[],
  seed: number,
): Promise<readonly Bot[]> {
  const common = async (name: RoleName, number: number): Promise<BotOptions> => {
    const { signer } = wallets.find((wallet) => wallet.name === name) as RoleWallet;
    const client = await KeelSigningClient.connectWithSigner(chain, signer);
    const random = seededRandom(seed * 16 + number);
    return { name, client, market: MARKET, random, intervalMs: number === 2 ? 3_000 : 500 };
  };
  const collateral = MAKER_DEPOSIT_UNITS * QUANTA;
  return [
    startMaker({ ...(await common("maker-1", 0)), collateral }),
    startMaker({ ...(await common("maker-2", 1)), collateral }),
    startTaker({
      ...(await common("traders", 2)),
      collateral: TAKER_DEPOSIT_UNITS * QUANTA,
      notionalMax: TAKER_ORDER_UNITS * QUANTA,
    }),
  ];
}

/** What makes a local network a market: prices, funded roles, makers with a book, and a faucet. */
import { resolve } from "node:path";
import type { KeelClient } from "@keel/client/keel-client";
import { KeelSigningClient } from "@keel/client/signing-client";
import type { FileValues } from "@keel/node/config/template";
import { readBars } from "@keel/node/feeds/csv";
import type { GenesisAccount } from "@keel/node/genesis/create";
import type { RoleName, RoleWallet } from "../keys/roles.ts";
import { attempt, noAttempts } from "../replay/actor.ts";
import { runMaker } from "../replay/maker.ts";
import { MarketWatch } from "../replay/market-watch.ts";
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
/** On one side of each maker's book. */
const MAKER_DEPTH_UNITS = 250_000;
const LOOK_MS = 400;
/** With prices from a file, chain time begins this long (real time) before its first row. */
const LEAD_MS = 10_000;

/** What a credit of the faucet pays. */
export const FAUCET_CREDITS: Readonly<Record<string, bigint>> = {
  [SETTLEMENT_DENOM]: 10_000n * QUANTA,
  [STAKE_DENOM]: 100n * QUANTA,
};

export const INSURANCE_FUND: bigint = 1_000_000n * QUANTA;

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

export interface Makers {
  stop(): Promise<void>;
}

/** Deposits what the makers lack and lets them quote until stopped. */
export async function startMakers(
  chain: KeelClient,
  wallets: readonly RoleWallet[],
  scale: number,
): Promise<Makers> {
  const names: readonly RoleName[] = ["maker-1", "maker-2"];
  const { tickSize, lotSize } = await chain.steps(MARKET);
  const watch = new MarketWatch(chain, MARKET, LOOK_MS);
  const stopping = new AbortController();
  const terms = {
    depth: MAKER_DEPTH_UNITS,
    inventoryUnit: MAKER_DEPTH_UNITS,
    tick: Number(tickSize),
    lot: Number(lotSize),
  };
  const running = wallets
    .filter(({ name }) => names.includes(name))
    .map(async ({ signer }) => {
      const client = await KeelSigningClient.connectWithSigner(chain, signer);
      const attempts = noAttempts();
      await attempt(attempts, async () => {
        const missing = MAKER_DEPOSIT_UNITS * QUANTA - (await client.account()).collateral;
        if (missing > QUANTA) await client.deposit(missing);
      });
      const { signal } = stopping;
      await runMaker({ client, watch, market: MARKET, terms, scale, attempts, signal });
    });
  const all = Promise.all(running);
  // A bug is thrown where the makers are stopped, not in the middle of something else.
  all.catch(() => undefined);
  return {
    async stop() {
      stopping.abort();
      watch.stop();
      await all;
    },
  };
}

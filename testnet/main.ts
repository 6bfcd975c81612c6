/** npm start: a local network one can trade on, until Ctrl-C. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { KeelClient } from "@keel/client/keel-client";
import { KeelSigningClient } from "@keel/client/signing-client";
import { makeDirectory } from "@keel/node/config/directories";
import { timestampFromMs } from "@keel/proto/bytes/timestamp";
import { startFaucet } from "./faucet/server.ts";
import type { RoleWallet } from "./keys/roles.ts";
import { PUBLIC_KEYS_WARNING, roleWallets } from "./keys/roles.ts";
import type { NetworkInfo } from "./network/banner.ts";
import { printBanner } from "./network/banner.ts";
import * as market from "./network/local-market.ts";
import type { Manifest } from "./network/manifest.ts";
import { openManifest } from "./network/manifest.ts";
import { LocalNetwork } from "./network/network.ts";
import { emptyBlockMs, pacingValues } from "./network/pacing.ts";
import { assertPortsFree, fixedPorts } from "./network/ports.ts";
import type { StartOptions } from "./network/start-options.ts";
import { JSON_PATH_DEFAULT, readStartOptions } from "./network/start-options.ts";
import { lookAtChain, statusText } from "./network/status-line.ts";

const CHAIN_ID = "keel-local-1";
const START_TIMEOUT_MS = 60_000;
const LOOK_MS = 500;
const STALE_INTERVALS = 5;
const STALE_MS_MIN = 5_000;

/** What is open, closed newest first. */
const closers: (() => Promise<void> | void)[] = [];
let stopping: Promise<void> | null = null;

function stop(code: number): Promise<void> {
  stopping ??= (async () => {
    for (const close of closers.reverse()) await Promise.resolve(close()).catch(() => undefined);
    process.exit(code);
  })();
  return stopping;
}

function fail(error: unknown): Promise<void> {
  const { message, stack } = error as Error;
  process.stderr.write(`keel: ${process.env["KEEL_TRACE"] === undefined ? message : stack}\n`);
  return stop(1);
}

async function createNetwork(
  options: StartOptions,
  manifest: Manifest,
  directory: string,
  wallets: readonly RoleWallet[],
): Promise<LocalNetwork> {
  const ports = fixedPorts(options.basePort, options.validators);
  await assertPortsFree([...ports.flatMap(({ p2p, rpc }) => [p2p, rpc]), options.faucetPort]);
  return await LocalNetwork.create({
    directory,
    ports,
    genesis: {
      chainId: CHAIN_ID,
      genesisTime: timestampFromMs(manifest.genesisMs),
      accounts: market.genesisAccounts(wallets),
      authority: null,
      priceMaxAgeMs:
        Math.max(STALE_MS_MIN, STALE_INTERVALS * emptyBlockMs(manifest["block-time"])) *
        manifest.scale,
      insuranceFund: market.INSURANCE_FUND,
      vaultQuotes: true,
      clearingHouse: market.clearingHouse(wallets),
      options: true,
      vaultParams: market.VAULT_TIMES,
    },
    config: {
      ...market.priceValues(manifest),
      ...pacingValues(manifest["block-time"]),
      "crypto.workers": 0,
    },
  });
}

async function run(options: StartOptions): Promise<void> {
  const directory = resolve(options.persist ?? mkdtempSync(join(tmpdir(), "keel-")));
  if (options.persist === null)
    closers.push(() => rmSync(directory, { recursive: true, force: true }));
  const manifest = openManifest(directory, options, () => market.openingTime(options));
  const wallets = await roleWallets();
  const network = await createNetwork(options, manifest, directory, wallets);
  closers.push(() => network.stop());
  network.start((node, code, signal) => {
    if (stopping !== null) return;
    process.stderr.write(
      `\nnode${node.index} ended (${signal ?? code}); log: ${node.process.logFile}\n`,
    );
    if (network.nodes.every((each) => !each.process.isRunning))
      void fail(new Error(`every validator has ended\n${node.process.logTail()}`));
  });
  await network.waitForHeight(1, START_TIMEOUT_MS);
  const chain = await KeelClient.connect(network.nodes.map(({ rpc }) => rpc));
  closers.push(() => chain.disconnect());
  const faucet = await openFaucet(chain, wallets, options);
  if (options.bots) {
    // The book fills in the background: the first block is what people wait for.
    void market.startBots(chain, wallets, options.seed).then((bots) => {
      closers.push(async () => void (await Promise.all(bots.map((bot) => bot.stop()))));
    }, fail);
  }
  const info = describe(network, wallets, faucet);
  const isTerminal = process.stdout.isTTY === true;
  const json = resolve(options.json ?? JSON_PATH_DEFAULT);
  if (options.json !== null || !isTerminal) {
    makeDirectory(dirname(json));
    writeFileSync(json, `${JSON.stringify(info, null, 2)}\n`);
  }
  process.stdout.write(
    isTerminal ? `${printBanner(info)}\n` : `READY ${info.validators[0]?.rpc} ${json}\n`,
  );
  if (isTerminal) await showStatus(chain, options.scale);
}

async function openFaucet(
  chain: KeelClient,
  wallets: readonly RoleWallet[],
  options: StartOptions,
): Promise<string> {
  const holder = wallets.find(({ name }) => name === "faucet") as RoleWallet;
  const client = await KeelSigningClient.connectWithSigner(chain, holder.signer);
  const faucet = await startFaucet({
    client,
    credits: market.FAUCET_CREDITS,
    port: options.faucetPort,
  });
  closers.push(() => faucet.stop());
  return faucet.url;
}

function describe(
  network: LocalNetwork,
  wallets: readonly RoleWallet[],
  faucet: string,
): NetworkInfo {
  return {
    chainId: network.chainId,
    market: market.MARKET,
    denoms: { settlement: market.SETTLEMENT_DENOM, stake: market.STAKE_DENOM },
    validators: network.nodes.map(({ index, rpc, process: { pid, home } }) => ({
      name: `node${index}`,
      rpc,
      pid,
      home,
    })),
    faucet,
    accounts: wallets.map(({ name, address, mnemonic, purpose }) => ({
      name,
      address,
      mnemonic,
      purpose,
    })),
    warning: PUBLIC_KEYS_WARNING,
  };
}

/** One line, written over itself. */
async function showStatus(chain: KeelClient, scale: number): Promise<void> {
  while (stopping === null) {
    const text = await lookAtChain(chain, market.FEED, scale).then(
      statusText,
      () => "no validator answers",
    );
    process.stdout.write(`\r  ${text.slice(0, (process.stdout.columns || 100) - 3)}\x1b[K`);
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => void stop(0));
await run(readStartOptions(process.argv)).catch(fail);

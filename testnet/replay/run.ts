/** One replay from empty directories to the report. */
import { setMaxListeners } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KeelClient } from "@keel/client/keel-client";
import type { KeelSigningClient } from "@keel/client/signing-client";
import { depositToVault, vaultState } from "@keel/client/vault";
import { roleWallet, roleWallets, traderWallets } from "../keys/roles.ts";
import type { LocalNetwork } from "../network/network.ts";
import type { Attempts } from "./actor.ts";
import { noAttempts, sleep } from "./actor.ts";
import { ChainLog } from "./chain-log.ts";
import type { Check, Flows } from "./checks.ts";
import { checkHashes } from "./checks.ts";
import { readBooks } from "./closing.ts";
import { compareHashes, readAppHashes, readHeaderHashes } from "./compare-hashes.ts";
import { checkFigures } from "./figures.ts";
import { runKeeper } from "./keeper.ts";
import { runMaker } from "./maker.ts";
import { connectAll, openAll, payOut, QUANTA } from "./market-set-up.ts";
import { MarketWatch } from "./market-watch.ts";
import type { ReplayOptions } from "./options.ts";
import { killAndRejoin } from "./outage.ts";
import { planTraders } from "./plan.ts";
import { createReplayNetwork, plannedRows, TREASURY_UNITS, VALIDATORS } from "./replay-network.ts";
import type { ReplayReport } from "./report.ts";
import { makeReport } from "./report.ts";
import type { Schedule } from "./schedule.ts";
import { schedule, wallTimeOf } from "./schedule.ts";
import type { Tally } from "./tally.ts";
import { Trader } from "./trader.ts";

const MARKET = "BTC-USD-PERP";
const MAKERS = 4;
const MAKER_UNITS = 5_000_000;
/** Of one maker and side in a calm market. */
const MAKER_DEPTH_UNITS = 250_000;
const KEEPERS = 2;
const KEEPER_UNITS = 100_000;
/** Of one bid, and of what a keeper holds at most. */
const KEEPER_CLIP_UNITS = 50_000;
const KEEPER_INVENTORY_UNITS = 500_000;
/** Shares of the liquidity vault, which is the backstop. */
const BACKER_UNITS = 500_000;
/** Real time. */
const LOOK_MS = 250;
const START_TIMEOUT_MS = 60_000;
const MINUTE_MS = 60_000;

export type Say = (text: string) => void;

export async function runReplay(options: ReplayOptions, say: Say): Promise<ReplayReport> {
  const rows = plannedRows(options);
  const directory = options.keep ?? mkdtempSync(join(tmpdir(), "keel-replay-"));
  const plan = schedule(rows, options.scale, options.setupMs, Date.now());
  const network = await createReplayNetwork(options, plan, directory);
  const stopEarly = (): void => {
    void network.stop().then(() => process.exit(130));
  };
  process.once("SIGINT", stopEarly).once("SIGTERM", stopEarly);
  try {
    network.start((node, code, signal) => {
      if (signal === null || signal === "SIGKILL") return;
      say(`node${node.index} ended (${code ?? signal})`);
    });
    await network.waitForHeight(2, START_TIMEOUT_MS);
    say(`${VALIDATORS} validators run after ${seconds(Date.now() - plan.wallMs)} s`);
    return await live(options, plan, network, say);
  } finally {
    process.off("SIGINT", stopEarly).off("SIGTERM", stopEarly);
    await network.stop();
    if (options.keep === null) rmSync(directory, { recursive: true, force: true });
  }
}

interface Market {
  readonly chain: KeelClient;
  /** Makers, keepers, and who has the vault's shares. */
  readonly others: readonly KeelSigningClient[];
  readonly traders: readonly Trader[];
  readonly attempts: Attempts;
  readonly watch: MarketWatch;
  readonly stopping: AbortController;
  readonly running: Promise<void>[];
}

async function live(
  options: ReplayOptions,
  plan: Schedule,
  network: LocalNetwork,
  say: Say,
): Promise<ReplayReport> {
  const rpcs = network.nodes.map(({ rpc }) => rpc);
  const log = new ChainLog(rpcs);
  const chain = await KeelClient.connect(rpcs);
  const market = await setUp(options, plan, chain);
  const startMs = wallTimeOf(plan, plan.firstMs);
  const late = Date.now() - startMs;
  const positions = await chain.allPositions(MARKET);
  say(
    `${positions.length} positions opened ${late > 0 ? `${seconds(late)} s after` : `${seconds(-late)} s before`} the first bar`,
  );
  const endMs = wallTimeOf(plan, plan.endMs);
  for (const trader of market.traders) market.running.push(trader.run(market.stopping.signal));
  let outage: Promise<Check[]> | null = null;
  const failed = Promise.all(market.running);
  while (Date.now() < endMs) {
    if (options.kill && outage === null && Date.now() > startMs + 0.3 * (endMs - startMs)) {
      say(`node${VALIDATORS - 1} killed`);
      outage = killAndRejoin(network, VALIDATORS - 1);
    }
    say(progress(log, market.watch, plan));
    const left = sleep(Math.max(0, Math.min(5_000, endMs - Date.now())));
    // A bug in an actor ends the replay now, not after it.
    await Promise.race([left, failed.then(() => left)]);
  }
  const checks = (await outage) ?? [];
  market.stopping.abort();
  await failed;
  market.watch.stop();
  return await close(options, plan, network, market, log, checks, say);
}

async function setUp(options: ReplayOptions, plan: Schedule, chain: KeelClient): Promise<Market> {
  const plans = planTraders(options.traders, options.seed);
  const wallets = await traderWallets(plans.length + MAKERS + KEEPERS + 1);
  const { signer } = await roleWallet("faucet");
  const [treasury] = await connectAll(chain, [{ address: "", signer }]);
  const clients = await connectAll(chain, wallets);
  const attempts = noAttempts();
  const watch = new MarketWatch(chain, MARKET, LOOK_MS);
  const { tickSize, lotSize } = await chain.steps(MARKET);
  const others = clients.slice(plans.length);
  const makers = others.slice(0, MAKERS);
  const keepers = others.slice(MAKERS, MAKERS + KEEPERS);
  const backer = others[MAKERS + KEEPERS] as KeelSigningClient;
  const traders = plans.map(
    (each, i) =>
      new Trader({
        plan: each,
        client: clients[i] as KeelSigningClient,
        watch,
        market: MARKET,
        tickSize,
        lotSize,
        scale: plan.scale,
        attempts,
      }),
  );
  await payOut(treasury as KeelSigningClient, [
    ...makers.map(({ address }) => ({ to: address, units: MAKER_UNITS })),
    ...keepers.map(({ address }) => ({ to: address, units: KEEPER_UNITS })),
    { to: backer.address, units: BACKER_UNITS },
    ...traders.map(({ address, plan: { stake, reserve } }) => ({
      to: address,
      units: stake + reserve,
    })),
  ]);
  await Promise.all([
    ...makers.map((maker) => maker.deposit(String(MAKER_UNITS))),
    ...keepers.map((keeper) => keeper.deposit(String(KEEPER_UNITS))),
    depositToVault(backer, String(BACKER_UNITS)),
    ...traders.map((trader) => trader.deposit()),
  ]);
  const stopping = new AbortController();
  // One for each actor.
  setMaxListeners(0, stopping.signal);
  const steps = { tick: Number(tickSize), lot: Number(lotSize) };
  const common = { watch, market: MARKET, scale: plan.scale, attempts, signal: stopping.signal };
  const quoting = { ...steps, depth: MAKER_DEPTH_UNITS, inventoryUnit: MAKER_DEPTH_UNITS };
  const bidding = { ...steps, clip: KEEPER_CLIP_UNITS, inventoryMax: KEEPER_INVENTORY_UNITS };
  const running = [
    ...makers.map((client) => runMaker({ ...common, client, terms: quoting })),
    ...keepers.map((client) => runKeeper({ ...common, client, terms: bidding })),
  ];
  await Promise.race([openAll(traders, wallTimeOf(plan, plan.firstMs)), Promise.all(running)]);
  return { chain, others, traders, attempts, watch, stopping, running };
}

async function close(
  options: ReplayOptions,
  plan: Schedule,
  network: LocalNetwork,
  market: Market,
  log: ChainLog,
  outageChecks: readonly Check[],
  say: Say,
): Promise<ReplayReport> {
  const { chain, traders, others } = market;
  // Whatever was on its way is in a block by then. Books and events must end at the same height.
  const height = Math.max((await chain.height()) + 2, await log.stop());
  await network.waitForHeight(height + 1, START_TIMEOUT_MS);
  const roles = await roleWallets();
  const owners = [
    ...roles.map(({ address }) => address),
    ...others.map(({ address }) => address),
    ...traders.map(({ address }) => address),
    (await vaultState(chain)).address,
  ];
  const books = await readBooks(chain, owners, height);
  await log.finish(height);
  chain.disconnect();
  say("comparing app hashes");
  const hashes = await Promise.all(network.nodes.map(({ rpc }) => readAppHashes(rpc, 1, height)));
  const headers = await readHeaderHashes(network.nodes[0]?.rpc ?? "", 1, height);
  const fund = BigInt(options.fund) * QUANTA;
  const opening = { supply: TREASURY_UNITS * QUANTA + fund, fund };
  const flows = flowsOf(log.tally);
  const accounts = traders.map(({ address }) => `${address}/0`);
  const opened = accounts.filter((account) => log.tally.takers.has(account)).length;
  const figures = { books, flows, opening, crowd: { traders: accounts.length, opened } };
  const checks = [
    ...checkFigures(figures),
    checkHashes(compareHashes(headers, hashes, 1, height)),
    ...outageChecks,
  ];
  return makeReport(
    {
      prices: options.prices ?? "generator",
      seed: options.seed,
      scale: options.scale,
      validators: network.nodes.length,
      ranges: options.ranges,
      traders: accounts,
      fundBefore: fund,
      fundAfter: books.insurance,
      shortfallAtEnd: books.totals.pendingShortfall,
      refused: market.attempts.refused,
      blocks: log.blocks.filter(({ timeMs }) => timeMs >= plan.firstMs),
      checks,
      figures,
    },
    log.tally,
  );
}

function flowsOf(tally: Tally): Flows {
  const { deposited, withdrawn, feesCollected, alarms } = tally;
  const { insuranceFunded, insuranceReceived, insurancePaid } = tally;
  return {
    deposited,
    withdrawn,
    feesCollected,
    insuranceFunded,
    insuranceReceived,
    insurancePaid,
    alarms,
  };
}

function progress(log: ChainLog, watch: MarketWatch, plan: Schedule): string {
  const look = watch.latest;
  const { tally } = log;
  const minute =
    look === null ? "-" : ((look.timeMs - plan.firstMs) / MINUTE_MS).toFixed(1).padStart(6);
  return `minute ${minute}  height ${log.height}  mark ${look?.mark ?? "-"}${look?.fresh === false ? " (stale)" : ""}  liquidations ${tally.liquidations}  bids ${tally.bidFills}  takeovers ${tally.takeovers}  deficits paid ${tally.deficitsCovered}  deleveraged ${tally.deleverages}`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

/**
 * One running node: stores, application, handshake, pool, network, RPC, block sync, consensus, in that order; stopped in reverse.
 * Everything is made here and handed on by constructor; nothing is looked up.
 */
import { createDriver } from "@keel/consensus/host/driver";
import type { Driver } from "@keel/consensus/host/driver-options";
import { createEvidencePool } from "@keel/consensus/host/evidence-pool";
import { createExecutor } from "@keel/consensus/host/execution";
import { handshake } from "@keel/consensus/host/handshake";
import type { ChainState, CommittedBlock, HostListener } from "@keel/consensus/host/ports";
import { openFileSigner } from "@keel/consensus/host/signer";
import { openWal } from "@keel/consensus/host/wal";
import { loadOrCreateNodeKey } from "@keel/consensus/net/node-key";
import { formatPeerAddress } from "@keel/consensus/net/peer-address";
import { BlockSync } from "@keel/consensus/sync/block-sync";
import { genesisToJson } from "@keel/consensus/wire/genesis";
import { findValidator, totalPower } from "@keel/consensus/wire/validator-set";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { timestampToNanos } from "@keel/proto/bytes/timestamp";
import type { KeelApplication } from "./app/application.ts";
import { openApplication } from "./app/application.ts";
import type { PriceSource } from "./app/vote-extension.ts";
import type { NodeClock } from "./clock.ts";
import type { NodeConfig } from "./config/files.ts";
import type { CometConfig } from "./config/schema.ts";
import { clockOf, priceSourceOf } from "./config/wiring.ts";
import { createVerifier } from "./crypto/verifier.ts";
import { refuseWhenSignedRecently } from "./double-sign-check.ts";
import { addressPrefixOf } from "./genesis/prefix.ts";
import { readGenesis } from "./genesis/read.ts";
import { createJournal } from "./logging/journal.ts";
import type { Logger } from "./logging/logger.ts";
import { type MarketData, openMarketData } from "./market-data/market-data.ts";
import { historyMethods } from "./market-data/methods.ts";
import { NamedRelay } from "./mempool/named-relay.ts";
import { TransactionPool } from "./mempool/pool.ts";
import { createMetrics, serveMetrics } from "./metrics/metrics.ts";
import { createNetwork } from "./network.ts";
import type { RpcEnvironment } from "./rpc/environment.ts";
import { allMethods } from "./rpc/methods/all.ts";
import type { RpcServer, StreamEndpoint } from "./rpc/server.ts";
import { startRpcServer } from "./rpc/server.ts";
import { SubscriptionHub } from "./rpc/subscriptions.ts";
import { openStorage } from "./storage.ts";
import { KEEL_VERSION } from "./version.ts";

export interface NodeOptions {
  readonly config: NodeConfig;
  readonly log: Logger;
  /** One sentence; the node signs nothing more. The caller ends the process. */
  readonly onFatal: (sentence: string) => void;
  /** Instead of what the configuration says. */
  readonly clock?: NodeClock;
  readonly prices?: PriceSource;
}

export interface RunningNode {
  readonly chainId: string;
  readonly rpcPort: number;
  /** id@host:port */
  readonly peerAddress: string;
  readonly app: KeelApplication;
  state(): ChainState;
  onCommitted(listener: (committed: CommittedBlock) => void): () => void;
  stop(): Promise<void>;
}

type Close = () => Promise<void> | void;

/** How often the list of feeds is asked of the chain. */
const FEEDS_REFRESH_MS = 5_000;

export async function startNode(options: NodeOptions): Promise<RunningNode> {
  // What has been opened, to be closed newest first, also when starting fails half-way.
  const closers: Close[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await open(options, closers, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function open(
  options: NodeOptions,
  closers: Close[],
  closeAll: () => Promise<void>,
): Promise<RunningNode> {
  const { config, log } = options;
  const { comet, paths } = config;
  const genesis = readGenesis(paths.genesis);
  const clock = options.clock ?? clockOf(config.app);
  const { blocks, states, application, index } = await openStorage(config, (close) =>
    closers.push(close),
  );

  const verifier = createVerifier(config.app.crypto);
  closers.push(() => verifier.close());
  const verify = verifier.verifyEd25519;
  const feed = options.prices === undefined ? priceSourceOf(config.app, genesis, clock, log) : null;
  if (feed !== null) closers.push(() => feed.stop());
  const app = await openApplication({
    chainId: genesis.chainId,
    addressPrefix: addressPrefixOf(genesis),
    store: application,
    verifier,
    prices: options.prices ?? feed,
    pending: {
      young: (at) => pool.young(at),
      outgrown: (hash) => pool.outgrown(hash),
      find: (key) => pool.find(key),
      named: (height, keys) => relay.named(height, keys),
      heard: (vote) => relay.heard(vote),
    },
    minGasPrices: config.app["minimum-gas-prices"],
    version: KEEL_VERSION,
    nowNs: () => timestampToNanos(clock.now()),
    queryHeights: config.app["query-heights"],
    explainEntries: config.app["explain-entries"],
    onFault({ height, where, error }) {
      metrics.onFault(where);
      log.error("contained fault", { height, where, reason: error.message });
    },
  });

  const nodeKey = loadOrCreateNodeKey(paths.nodeKey);
  const network = createNetwork({ comet, chainId: genesis.chainId, nodeKey, clock, log });
  const { transport } = network;
  const pool = new TransactionPool({
    app,
    limits: {
      txsMax: comet.mempool.size,
      bytesMax: comet.mempool.max_txs_bytes,
      txBytesMax: comet.mempool.max_tx_bytes,
      cacheMax: comet.mempool.cache_size,
    },
    prefill: (txs) => app.prefill(txs),
    onAdmitted: (tx, from) => network.mempool.admitted(tx, from),
    named: { arrived: (key, tx) => relay.arrived(key, tx), find: (key) => relay.find(key) },
  });
  const relay = new NamedRelay({
    find: (key) => pool.find(key),
    push: (txs) => network.mempool.push(txs),
    pass: (tx) => network.mempool.admitted(tx, null),
  });
  transport.onPeer((peer, change) => pool.onPeer(peer, change));
  const subscriptions = new SubscriptionHub({
    clientsMax: comet.rpc.max_subscription_clients,
    perClientMax: comet.rpc.max_subscriptions_per_client,
  });
  const evidence = createEvidencePool({
    blocks,
    states,
    verify,
    onPending(proof) {
      journal.evidence(proof);
      network.evidence.announce(proof);
    },
  });

  const { timeouts, pacing } = timing(comet);
  const journal = createJournal({
    log,
    nowMs: () => clock.monotonicMs(),
    // One round in which every step ran into its timeout.
    slowBlockMs: timeouts.proposeMs + timeouts.prevoteMs + timeouts.precommitMs,
  });
  transport.onPeer((peer, change) => journal.peer(peer, change, transport.peers()));
  let market: MarketData | null = null;
  let blockSync: BlockSync | null = null;
  let driver: Driver | null = null;
  let round = { height: 0, round: 0, step: "newHeight" };
  const listeners = new Set<(committed: CommittedBlock) => void>();
  const metrics = createMetrics(
    {
      peers: () => transport.peers().length,
      poolTxs: () => pool.size(),
      poolBytes: () => pool.bytes(),
      catchingUp: () => driver === null,
      oracle: {
        sources: () => feed?.status() ?? null,
        missing: () => feed?.missing().length ?? null,
        query: (request) => app.query(request),
      },
    },
    genesis.chainId,
  );
  closers.push(() => metrics.stop());
  const listener: HostListener = {
    async onCommitted(committed) {
      const { header, txs } = committed.block;
      metrics.onCommitted({ height: header.height, txs: txs.length, timeMs: clock.monotonicMs() });
      journal.committed(committed, blockSync?.progress() ?? null);
      market?.committed(header.height, Number(timestampToNanos(header.time) / 1_000_000n));
      await index?.index(committed);
      // At genesis there is no state to ask; the first block has the list, and the next votes their prices.
      if (feed?.isListed === false) await feed.refresh((request) => app.query(request));
      if (feed !== null) journal.oracle(feed.missing());
      subscriptions.publish(committed);
      for (const listen of listeners) listen(committed);
    },
    onRound(height, number, step) {
      round = { height, round: number, step };
      metrics.onRound(number);
      journal.round(height, number, step);
    },
  };
  const executor = createExecutor({
    app,
    blocks,
    states,
    mempool: pool,
    evidence,
    verify,
    listener,
  });
  let state = await handshake({ genesis, app, blocks, states, executor });
  await index?.catchUp(blocks, states);
  if (comet.market_data.enabled) {
    const addressPrefix = addressPrefixOf(genesis);
    const sources = { app, addressPrefix, application, states, blocks, log };
    market = await openMarketData(paths.data, sources, comet.market_data);
    closers.push(market.stop);
  }
  if (feed !== null) {
    const refresh = (): Promise<void> => feed.refresh((request) => app.query(request));
    await refresh();
    const timer = setInterval(() => void refresh().catch(() => undefined), FEEDS_REFRESH_MS);
    closers.push(() => clearInterval(timer));
  }

  const signer = await openFileSigner({
    keyPath: paths.validatorKey,
    statePath: paths.validatorState,
  });
  const sync = new BlockSync({
    transport,
    clock,
    store: blocks,
    executor,
    verify,
    self: signer.address,
    log,
  });
  blockSync = sync;
  await transport.start();
  closers.push(() => transport.stop());
  const onCommitted: RunningNode["onCommitted"] = (listen) => {
    listeners.add(listen);
    return () => listeners.delete(listen);
  };
  const rpc = await openRpc(
    comet,
    log,
    { subscriptions, stream: market?.stream },
    {
      app,
      blocks,
      states,
      index,
      pool,
      genesis: genesisToJson(genesis),
      chainState: () => driver?.state() ?? state,
      catchingUp: () => driver === null,
      round: () => round,
      peers: () => transport.peers(),
      onCommitted,
      validator: signer,
      nodeId: nodeKey.id,
      moniker: comet.moniker,
      listenAddress: `tcp://${comet.p2p.laddr.host}:${comet.p2p.laddr.port}`,
      rpcAddress: `tcp://${comet.rpc.laddr.host}:${comet.rpc.laddr.port}`,
      broadcastTimeoutMs: comet.rpc.timeout_broadcast_tx_commit,
      history: market?.methods ?? historyMethods(null),
    },
  );
  closers.push(() => rpc.stop());
  if (comet.instrumentation.prometheus) {
    const { host, port } = comet.instrumentation.prometheus_listen_addr;
    const server = await serveMetrics(metrics, host, port);
    closers.push(() => void server.close());
  }

  let stopping = false;
  const begin = async (): Promise<void> => {
    state = await sync.run(state);
    if (stopping) return;
    journal.caughtUp(state.lastHeight);
    await refuseWhenSignedRecently({
      blocks,
      address: signer.address,
      lastHeight: state.lastHeight,
      heights: comet.consensus.double_sign_check_height,
    });
    const wal = await openWal({ path: paths.wal });
    const created = createDriver({
      state,
      app,
      blocks,
      executor,
      evidence,
      mempool: pool,
      wal,
      signer,
      clock,
      gossip: network.consensus,
      verify,
      report: (peer, reason, severity) => transport.report(peer, reason, severity),
      timeouts,
      pacing,
      listener,
      onWarning: (text) => log.warn(text),
      onFatal: options.onFatal,
    });
    driver = created;
    closers.push(async () => {
      network.stopReactors();
      await created.stop();
      await wal.close();
    });
    network.begin(created, pool, evidence);
    await created.start();
    const own = findValidator(state.validators, signer.address)?.validator ?? null;
    log.info("consensus started", {
      height: state.lastHeight + 1,
      validator: bytesToHex(signer.address),
      power: String(own?.power ?? 0n),
      of_power: String(totalPower(state.validators)),
    });
    if (own !== null && feed === null && options.prices === undefined)
      log.warn("no oracle source is set: this validator votes without prices");
  };
  const begun = begin().catch((error: Error) => {
    if (!stopping) options.onFatal(error.message);
  });

  return {
    chainId: genesis.chainId,
    rpcPort: rpc.port,
    peerAddress: transport.address === null ? nodeKey.id : formatPeerAddress(transport.address),
    app,
    state: () => driver?.state() ?? state,
    onCommitted,
    async stop() {
      stopping = true;
      sync.stop();
      await begun;
      await closeAll();
    },
  };
}

function openRpc(
  comet: CometConfig,
  log: Logger,
  sockets: { readonly subscriptions: SubscriptionHub; readonly stream: StreamEndpoint | undefined },
  environment: RpcEnvironment,
): Promise<RpcServer> {
  return startRpcServer({
    ...comet.rpc.laddr,
    methods: allMethods(environment),
    subscriptions: sockets.subscriptions,
    ...(sockets.stream === undefined ? {} : { stream: sockets.stream }),
    corsOrigins: comet.rpc.cors_allowed_origins,
    bodyBytesMax: comet.rpc.max_body_bytes,
    connectionsMax: comet.rpc.max_open_connections,
    log: (message, fields) => log.debug(message, fields),
  });
}

function timing({
  consensus,
}: CometConfig): Pick<Parameters<typeof createDriver>[0], "timeouts" | "pacing"> {
  return {
    timeouts: {
      proposeMs: consensus.timeout_propose,
      proposeDeltaMs: consensus.timeout_propose_delta,
      prevoteMs: consensus.timeout_prevote,
      prevoteDeltaMs: consensus.timeout_prevote_delta,
      precommitMs: consensus.timeout_precommit,
      precommitDeltaMs: consensus.timeout_precommit_delta,
    },
    pacing: {
      minBlockIntervalMs: consensus.min_block_interval,
      emptyBlockIntervalMs: consensus.empty_block_interval,
      createEmptyBlocks: consensus.create_empty_blocks,
      commitMs: consensus.timeout_commit,
    },
  };
}

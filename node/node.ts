/**
 * One running node: stores, application, handshake, pool, network, block sync, consensus, RPC, in that order; stopped in reverse.
 * Everything is made here and handed on by constructor; nothing is looked up.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createDriver } from "@keel/consensus/host/driver";
import type { Driver } from "@keel/consensus/host/driver-options";
import { createEvidencePool } from "@keel/consensus/host/evidence-pool";
import { createExecutor } from "@keel/consensus/host/execution";
import { handshake } from "@keel/consensus/host/handshake";
import type { ChainState, CommittedBlock, HostListener } from "@keel/consensus/host/ports";
import { openFileSigner } from "@keel/consensus/host/signer";
import { openWal } from "@keel/consensus/host/wal";
import { ConsensusReactor } from "@keel/consensus/net/consensus-reactor";
import { Libp2pTransport } from "@keel/consensus/net/libp2p-transport";
import { MempoolReactor } from "@keel/consensus/net/mempool-reactor";
import { loadOrCreateNodeKey } from "@keel/consensus/net/node-key";
import { formatPeerAddress, parsePeerAddress } from "@keel/consensus/net/peer-address";
import { BlockSync } from "@keel/consensus/sync/block-sync";
import type { GenesisDoc } from "@keel/consensus/wire/genesis";
import { genesisToJson, parseGenesis } from "@keel/consensus/wire/genesis";
import { storeNames } from "./app/app.ts";
import type { KeelApplication, PriceSource } from "./app/application.ts";
import { openApplication } from "./app/application.ts";
import type { NodeClock } from "./clock.ts";
import type { NodeConfig } from "./config/files.ts";
import { ConfigError } from "./config/files.ts";
import { clockOf, priceSourceOf } from "./config/wiring.ts";
import { createVerifier } from "./crypto/verifier.ts";
import type { ChainPriceSource } from "./feeds/source.ts";
import { addressPrefixOf } from "./genesis/prefix.ts";
import type { Logger } from "./logging/logger.ts";
import { TransactionPool } from "./mempool/pool.ts";
import { createMetrics, serveMetrics } from "./metrics/metrics.ts";
import { allMethods } from "./rpc/methods/all.ts";
import { startRpcServer } from "./rpc/server.ts";
import { SubscriptionHub } from "./rpc/subscriptions.ts";
import { openApplicationStore } from "./store/level/application-store.ts";
import { openBlockStore } from "./store/level/block-store.ts";
import { openLevelDatabase } from "./store/level/level-database.ts";
import { LevelStateStore } from "./store/level/state-store.ts";
import { openTxIndex } from "./store/level/tx-index.ts";
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

/** How often the list of feeds is asked of the chain. */
const FEEDS_REFRESH_MS = 5_000;

export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { config, log } = options;
  const { comet, paths } = config;
  // What has been opened, to be closed newest first, also when starting fails half-way.
  const closers: (() => Promise<void> | void)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await start();
  } catch (error) {
    await closeAll();
    throw error;
  }

  async function start(): Promise<RunningNode> {
    const genesis = readGenesis(paths.genesis);
    const addressPrefix = addressPrefixOf(genesis);
    const clock = options.clock ?? clockOf(config.app);
    const listeners = new Set<(committed: CommittedBlock) => void>();
    let round = { height: 0, round: 0, step: "newHeight" };

    const openDatabase = async (
      name: string,
    ): Promise<Awaited<ReturnType<typeof openLevelDatabase>>> => {
      const database = await openLevelDatabase(join(paths.data, name));
      closers.push(() => database.close());
      return database;
    };
    const chainDatabase = await openDatabase("chain.db");
    const blocks = await openBlockStore(chainDatabase);
    const states = new LevelStateStore(chainDatabase);
    const store = await openApplicationStore(await openDatabase("application.db"), {
      stores: storeNames,
      ...(config.app["snapshot-interval"] > 0
        ? { snapshotIntervalHeights: config.app["snapshot-interval"] }
        : {}),
    });
    closers.push(() => store.close());
    const index =
      comet.tx_index.indexer === "kv" ? await openTxIndex(await openDatabase("index.db")) : null;

    const verifier = createVerifier(config.app.crypto);
    closers.push(() => verifier.close());
    const verify = verifier.verifyEd25519;
    const prices: ChainPriceSource | null =
      options.prices === undefined ? priceSourceOf(config.app, genesis, clock, log) : null;
    if (prices !== null) closers.push(() => prices.stop());
    const app = await openApplication({
      chainId: genesis.chainId,
      addressPrefix,
      store,
      verifier,
      prices: options.prices ?? prices,
      minGasPrices: config.app["minimum-gas-prices"],
      version: KEEL_VERSION,
      queryHeights: config.app["query-heights"],
      onFault: ({ height, where, error }) => {
        metrics.onFault(where);
        log.error("contained fault", { height, where, reason: error.message });
      },
    });

    const nodeKey = loadOrCreateNodeKey(paths.nodeKey);
    const transport = new Libp2pTransport({
      key: nodeKey,
      chainId: genesis.chainId,
      moniker: comet.moniker,
      listen: comet.p2p.laddr,
      persistentPeers: comet.p2p.persistent_peers.map(parsePeerAddress),
      clock,
      log,
      inboundPeersMax: comet.p2p.max_num_inbound_peers,
    });
    const mempoolReactor = new MempoolReactor({ transport, clock });
    const pool = new TransactionPool({
      app,
      limits: {
        txsMax: comet.mempool.size,
        bytesMax: comet.mempool.max_txs_bytes,
        txBytesMax: comet.mempool.max_tx_bytes,
        cacheMax: comet.mempool.cache_size,
      },
      onAdmitted: (tx, from) => mempoolReactor.admitted(tx, from),
    });
    const subscriptions = new SubscriptionHub({
      clientsMax: comet.rpc.max_subscription_clients,
      perClientMax: comet.rpc.max_subscriptions_per_client,
    });
    let driver: Driver | null = null;
    let state: ChainState;
    const metrics = createMetrics(
      {
        peers: () => transport.peers().length,
        poolTxs: () => pool.size(),
        poolBytes: () => pool.bytes(),
        catchingUp: () => driver === null,
      },
      genesis.chainId,
    );
    closers.push(() => metrics.stop());

    const listener: HostListener = {
      async onCommitted(committed) {
        const { header, txs } = committed.block;
        metrics.onCommitted({
          height: header.height,
          txs: txs.length,
          bytes: 0,
          timeMs: performance.now(),
        });
        log.debug("committed", { height: header.height, txs: txs.length });
        await index?.index(committed);
        subscriptions.publish(committed);
        for (const listen of listeners) listen(committed);
      },
      onRound(height, number, step) {
        round = { height, round: number, step };
        metrics.onRound(number);
        if (number > 0) log.info("round", { height, round: number, step });
      },
    };
    const evidence = createEvidencePool({ blocks, states, verify });
    const executor = createExecutor({
      app,
      blocks,
      states,
      mempool: pool,
      evidence,
      verify,
      listener,
    });
    state = await handshake({ genesis, app, blocks, states, executor });
    await index?.catchUp(blocks, states);
    await prices?.refresh((request) => app.query(request));
    if (prices !== null) {
      const timer = setInterval(
        () => void prices.refresh((request) => app.query(request)).catch(() => undefined),
        FEEDS_REFRESH_MS,
      );
      closers.push(() => clearInterval(timer));
    }

    const signer = await openFileSigner({
      keyPath: paths.validatorKey,
      statePath: paths.validatorState,
    });
    const blockSync = new BlockSync({
      transport,
      clock,
      store: blocks,
      executor,
      verify,
      self: signer.address,
      log,
    });
    const consensusReactor = new ConsensusReactor({ transport, clock, log });
    await transport.start();
    closers.push(() => transport.stop());
    const peerAddress =
      transport.address === null ? nodeKey.id : formatPeerAddress(transport.address);

    const rpc = await startRpcServer({
      ...comet.rpc.laddr,
      methods: allMethods({
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
      }),
      subscriptions,
      corsOrigins: comet.rpc.cors_allowed_origins,
      bodyBytesMax: comet.rpc.max_body_bytes,
      connectionsMax: comet.rpc.max_open_connections,
      log: (message, fields) => log.debug(message, fields),
    });
    closers.push(() => rpc.stop());
    if (comet.instrumentation.prometheus) {
      const { host, port } = comet.instrumentation.prometheus_listen_addr;
      const server = await serveMetrics(metrics, host, port);
      closers.push(() => void server.close());
    }

    const begin = async (): Promise<void> => {
      state = await blockSync.run(state);
      if (stopping) return;
      const wal = await openWal({ path: paths.wal });
      driver = createDriver({
        state,
        app,
        blocks,
        executor,
        evidence,
        mempool: pool,
        wal,
        signer,
        clock,
        gossip: consensusReactor,
        verify,
        report: (peer, reason, severity) => transport.report(peer, reason, severity),
        timeouts: {
          proposeMs: comet.consensus.timeout_propose,
          proposeDeltaMs: comet.consensus.timeout_propose_delta,
          prevoteMs: comet.consensus.timeout_prevote,
          prevoteDeltaMs: comet.consensus.timeout_prevote_delta,
          precommitMs: comet.consensus.timeout_precommit,
          precommitDeltaMs: comet.consensus.timeout_precommit_delta,
        },
        pacing: {
          minBlockIntervalMs: comet.consensus.min_block_interval,
          emptyBlockIntervalMs: comet.consensus.empty_block_interval,
          createEmptyBlocks: true,
          commitMs: comet.consensus.timeout_commit,
        },
        listener,
        onWarning: (text) => log.warn(text),
        onFatal: options.onFatal,
      });
      closers.push(async () => {
        consensusReactor.stop();
        mempoolReactor.stop();
        await driver?.stop();
        await wal.close();
      });
      consensusReactor.start(driver);
      mempoolReactor.start({
        admit: (tx, from) =>
          void pool
            .submit(tx, from)
            .catch((error: Error) => log.error("check failed", { reason: error.message })),
        list: (limit) => pool.list(limit),
      });
      await driver.start();
      log.info("consensus started", { height: state.lastHeight + 1 });
    };
    let stopping = false;
    const begun = begin().catch((error: Error) => {
      if (!stopping) options.onFatal(error.message);
    });
    closers.push(async () => {
      blockSync.stop();
      await begun;
    });

    function onCommitted(listen: (committed: CommittedBlock) => void): () => void {
      listeners.add(listen);
      return () => listeners.delete(listen);
    }
    return {
      chainId: genesis.chainId,
      rpcPort: rpc.port,
      peerAddress,
      app,
      state: () => driver?.state() ?? state,
      onCommitted,
      async stop() {
        stopping = true;
        blockSync.stop();
        await begun;
        await closeAll();
      },
    };
  }
}

function readGenesis(path: string): GenesisDoc {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new ConfigError(
      missing
        ? `${path} is missing; put the chain's genesis file there`
        : `${path} cannot be read: ${(error as Error).message}`,
    );
  }
  try {
    return parseGenesis(text);
  } catch (error) {
    throw new ConfigError(`${path} is not a genesis document: ${(error as Error).message}`);
  }
}

/** What listens to peers: the transport and one reactor per channel. Silent until consensus begins. */
import type { Driver } from "@keel/consensus/host/driver-options";
import type { EvidencePool } from "@keel/consensus/host/evidence-pool";
import { ConsensusReactor } from "@keel/consensus/net/consensus-reactor";
import { EvidenceReactor } from "@keel/consensus/net/evidence-reactor";
import { Libp2pTransport } from "@keel/consensus/net/libp2p-transport";
import { MempoolReactor } from "@keel/consensus/net/mempool-reactor";
import type { NodeKey } from "@keel/consensus/net/node-key";
import { parsePeerAddress } from "@keel/consensus/net/peer-address";
import type { NodeClock } from "./clock.ts";
import type { CometConfig } from "./config/schema.ts";
import type { Logger } from "./logging/logger.ts";
import type { TransactionPool } from "./mempool/pool.ts";

export interface Network {
  readonly transport: Libp2pTransport;
  readonly consensus: ConsensusReactor;
  readonly mempool: MempoolReactor;
  readonly evidence: EvidenceReactor;
  /** From here on peers' transactions, votes and evidence are taken. */
  begin(driver: Driver, pool: TransactionPool, evidence: EvidencePool): void;
  stopReactors(): void;
}

export interface NetworkOptions {
  readonly comet: CometConfig;
  readonly chainId: string;
  readonly nodeKey: NodeKey;
  readonly clock: NodeClock;
  readonly log: Logger;
}

export function createNetwork({ comet, chainId, nodeKey, clock, log }: NetworkOptions): Network {
  const transport = new Libp2pTransport({
    key: nodeKey,
    chainId,
    moniker: comet.moniker,
    listen: comet.p2p.laddr,
    persistentPeers: comet.p2p.persistent_peers.map(parsePeerAddress),
    clock,
    log,
    inboundPeersMax: comet.p2p.max_num_inbound_peers,
  });
  const consensus = new ConsensusReactor({ transport, clock, log });
  const mempool = new MempoolReactor({ transport, clock });
  const evidence = new EvidenceReactor({ transport, log });
  return {
    transport,
    consensus,
    mempool,
    evidence,
    begin(driver, pool, evidencePool) {
      consensus.start(driver);
      evidence.start(evidencePool, () => driver.state());
      mempool.start({
        admit(tx, from) {
          pool
            .submit(tx, from)
            .catch((error: Error) => log.error("check failed", { reason: error.message }));
        },
        list: (limit) => pool.list(limit),
      });
    },
    stopReactors() {
      consensus.stop();
      mempool.stop();
      evidence.stop();
    },
  };
}

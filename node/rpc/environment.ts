/** What the methods read: narrow views of the running node, filled in by its composition root. */
import type {
  Application,
  BlockStore,
  ChainState,
  CommittedBlock,
  PeerInfo,
  StateStore,
} from "@keel/consensus/host/ports";
import type { GenesisJson } from "@keel/consensus/wire/genesis";
import type { KeelApplication } from "../app/application.ts";
import type { TransactionPool } from "../mempool/pool.ts";
import type { TxIndex } from "../store/level/tx-index.ts";
import type { RpcMethods } from "./call.ts";

export interface RpcEnvironment {
  readonly app: Pick<Application, "info" | "query" | "checkTx"> & Pick<KeelApplication, "explain">;
  readonly blocks: BlockStore;
  readonly states: StateStore;
  /** null when the index is switched off. */
  readonly index: TxIndex | null;
  readonly pool: TransactionPool;
  readonly genesis: GenesisJson;
  readonly chainState: () => ChainState;
  readonly catchingUp: () => boolean;
  readonly round: () => { readonly height: number; readonly round: number; readonly step: string };
  readonly peers: () => readonly PeerInfo[];
  /** Calls back for every committed block until unsubscribed. */
  readonly onCommitted: (listener: (committed: CommittedBlock) => void) => () => void;
  readonly validator: { readonly address: Uint8Array; readonly pubKey: Uint8Array } | null;
  /** hex(SHA256(node key)[:20]), lower case. */
  readonly nodeId: string;
  readonly moniker: string;
  readonly listenAddress: string;
  readonly rpcAddress: string;
  readonly broadcastTimeoutMs: number;
  /** Methods of market data. */
  readonly history: RpcMethods;
}

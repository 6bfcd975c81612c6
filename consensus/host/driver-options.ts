/** What the driver is made of and what it offers. */
import type { Machine, TimeoutConfig } from "../core/types.ts";
import type { EvidencePool } from "./evidence-pool.ts";
import type { Executor } from "./execution.ts";
import type { ConsensusPort, Gossip } from "./gossip.ts";
import type {
  Application,
  BlockStore,
  ChainState,
  Clock,
  HostListener,
  Mempool,
  Signer,
  Transport,
  VerifyEd25519,
  WriteAheadLog,
} from "./ports.ts";
import type { PacingConfig } from "./timers.ts";

export interface DriverOptions {
  /** What the handshake, or block sync after it, has ended with. */
  readonly state: ChainState;
  readonly app: Application;
  readonly blocks: BlockStore;
  readonly executor: Executor;
  readonly evidence: EvidencePool;
  readonly mempool: Mempool;
  readonly wal: WriteAheadLog;
  /** Null on a node that only follows. */
  readonly signer: Signer | null;
  readonly clock: Clock;
  readonly gossip: Gossip;
  readonly verify: VerifyEd25519;
  readonly report: Transport["report"];
  readonly timeouts: TimeoutConfig;
  readonly pacing: PacingConfig;
  readonly listener?: HostListener;
  /** Something an operator should read; the node goes on. */
  readonly onWarning: (text: string) => void;
  /** One sentence. The driver has stopped and signs nothing more; the process must end. */
  readonly onFatal: (sentence: string) => void;
  readonly createMachine?: () => Machine;
}

export interface Driver extends ConsensusPort {
  /** Replays the log and begins. Throws one sentence when log, stores and state do not fit together. */
  start(): Promise<void>;
  /** Resolves when the turn in progress is over; the log may be closed then. */
  stop(): Promise<void>;
  /** After the newest applied block. */
  state(): ChainState;
}

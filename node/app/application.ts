/**
 * The Application port of the consensus host, implemented over the modules. `openApplication` loads the committed state; the node's
 * wiring gives it a commit store, a signature verifier and a source of prices.
 */
import type { Application } from "@keel/consensus/host/ports";
import type { SignatureVerifier } from "../crypto/verifier.ts";
import type { CommitStore } from "../store/types.ts";

/** What this validator says about prices: the newest of each feed, mantissas at the feed's exponent. Must not throw. */
export interface PriceSource {
  latest(): readonly {
    readonly feedId: number;
    readonly mantissa: bigint;
    readonly confidence: bigint;
  }[];
}

/** One acceptable fee denom: `amountPerGas` = numerator / 10^18. */
export interface GasPrice {
  readonly denom: string;
  readonly attoPerGas: bigint;
}

export interface ApplicationOptions {
  /** From the genesis document; InitChain with another one is refused. */
  readonly chainId: string;
  /** Bech32 prefix of accounts, from the genesis document or configuration. */
  readonly addressPrefix: string;
  /** Opened with `storeNames` of app.ts. The application is its only user from then on; the caller closes it. */
  readonly store: CommitStore;
  /** `createVerifier` of node/crypto. The caller closes it. */
  readonly verifier: SignatureVerifier;
  /** null: this node votes with empty extensions. */
  readonly prices: PriceSource | null;
  /** Fees this node asks for before it admits a transaction to its mempool (never a rule of the chain). Empty: none. */
  readonly minGasPrices: readonly GasPrice[];
  /** Reported by Info: the node's release. */
  readonly version: string;
  /** Heights whose state stays open to queries; default 100. */
  readonly queryHeights?: number;
  /** Told of faults that were contained (a reverted message, a quarantined market, a broken invariant). Default: nobody. */
  readonly onFault?: (fault: AppFault) => void;
}

export interface AppFault {
  readonly height: number;
  /** "message /keel.derivatives.v1.MsgPlaceOrder", "endBlock derivatives", "invariant margin/vault-backed" */
  readonly where: string;
  readonly error: Error;
}

/** The port, and what the node's other parts (RPC, CLI, metrics) ask of the state machine in process. */
export interface KeelApplication extends Application {
  /** Every gRPC query method answered by `query`, with its message types by full protobuf name. */
  readonly services: readonly {
    readonly path: string;
    readonly requestType: string;
    readonly responseType: string;
  }[];
  /** The committed state as a genesis document's app_state. */
  exportGenesis(): unknown;
}

/** What oracle needs of others, said by oracle. */
import type { Addresses } from "../kit/addresses.ts";
import type { ReadContext, WriteContext } from "../kit/context.ts";

export interface OracleValidator {
  /** 20 bytes. */
  readonly address: Uint8Array;
  /** Raw ed25519 key. */
  readonly pubKey: Uint8Array;
  readonly power: bigint;
}

/** A commit whose signatures and vote extension signatures hold, with more than two thirds of the power. */
export interface VerifiedCommit {
  readonly height: number;
  readonly round: number;
  /** Votes for the block only, each validator at most once. */
  readonly votes: readonly {
    readonly address: Uint8Array;
    readonly power: bigint;
    readonly extension: Uint8Array;
  }[];
}

/** Implemented where consensus encodings are known. Deterministic: its answer depends on its arguments alone. */
export interface CommitPort {
  verifyExtendedCommit(
    ctx: ReadContext,
    bytes: Uint8Array,
    /** The set that signed it, in consensus order. */
    validators: readonly OracleValidator[],
  ): VerifiedCommit | { readonly refusal: string };
}

/**
 * Who holds stakes and may dock or jail for bad reports. Called at the end of a window of counters, within the block's update, once for each
 * reason; `amountPpm` is the share of stake that is asked for. It must not throw: what it cannot do, it leaves.
 */
export interface PenaltyPort {
  penalise(
    ctx: WriteContext,
    /** 20 bytes, the consensus address. */
    validator: Uint8Array,
    reason: "misses" | "deviation",
    amountPpm: bigint,
  ): void;
}

/** Who holds accounts to what prices say. */
export interface AccountsPort {
  /** Runs a change of what feeds and surfaces say now. Throws ModuleError, and leaves undoing to the caller, when an account that was healthy before is liquidatable after it. */
  keepHealthy(ctx: WriteContext, change: (ctx: WriteContext) => void): void;
}

export interface OraclePorts {
  readonly commits: CommitPort;
  readonly addresses: Addresses;
  /** Absent: standings and events alone. */
  readonly penalties?: PenaltyPort;
  /** May delegate to a module built later; absent: prices hold nobody to anything. */
  readonly accounts?: AccountsPort;
}

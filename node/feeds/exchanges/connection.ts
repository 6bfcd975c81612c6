/** What a connection to a venue tells, and the bounds of what it takes from there. */
import type { BackoffTimes } from "./backoff.ts";
import type { BookTop } from "./types.ts";

export type FaultKind = "connect" | "timeout" | "status" | "size" | "content" | "closed";

export interface ConnectionSink {
  quote(top: BookTop): void;
  /** Counted by kind; the sentence is for the log. */
  fault(kind: FaultKind, reason: string): void;
}

export interface Connection {
  stop(): void;
}

export class SourceFault extends Error {
  readonly kind: FaultKind;
  constructor(kind: FaultKind, reason: string) {
    super(reason);
    this.name = "SourceFault";
    this.kind = kind;
  }
}

export const TIMEOUT_MS = 5_000;
export const ANSWER_BYTES_MAX = 65_536;
export const MESSAGE_BYTES_MAX = 65_536;
export const RETRY: BackoffTimes = { firstMs: 1_000, mostMs: 60_000 };

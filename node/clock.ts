/**
 * The node's clock. Chain time is wall time, or wall time stretched from an anchor so that a past day can be lived through faster;
 * timeouts always run on real time.
 */
import type { Clock } from "@keel/consensus/host/ports";
import type { Timestamp } from "@keel/proto/bytes/timestamp";

export interface ClockAnchor {
  /** Chain time, in milliseconds since the Unix epoch, … */
  readonly chainMs: number;
  /** … that belongs to this wall time. */
  readonly wallMs: number;
  /** Chain seconds per real second. */
  readonly scale: number;
}

export interface NodeClock extends Clock {
  /** Chain time in milliseconds. */
  nowMs(): number;
}

const REAL: ClockAnchor = { chainMs: 0, wallMs: 0, scale: 1 };

/** Never steps back, whatever the system's clock does. */
export function createClock(anchor: ClockAnchor = REAL): NodeClock {
  // performance.now() is monotonic and finer than milliseconds; the origin ties it to the wall once.
  const origin = performance.timeOrigin;
  const nowMs = (): number =>
    anchor.chainMs + (origin + performance.now() - anchor.wallMs) * anchor.scale;
  return {
    nowMs,
    now: () => toTimestamp(nowMs()),
    monotonicMs: () => performance.now(),
    startTimer(delayMs, callback) {
      const timer = setTimeout(callback, delayMs);
      return { cancel: () => clearTimeout(timer) };
    },
  };
}

export function toTimestamp(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: Math.floor((ms - seconds * 1000) * 1000) * 1000 };
}

export function toMs(time: Timestamp): number {
  return Number(time.seconds) * 1000 + Math.floor(time.nanos / 1_000_000);
}

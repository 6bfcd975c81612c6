/**
 * Chain time of a replay. All nodes share one anchor: at `wallMs` it is genesis time, and from then on chain time runs `scale` times
 * as fast. Genesis lies far enough before the first row that everyone has a position when the first bar begins.
 */
import type { FileValues } from "@keel/node/config/template";
import { formatTimestamp, timestampFromMs } from "@keel/proto/bytes/timestamp";

export interface Schedule {
  readonly scale: number;
  /** Real time at which chain time is `genesisMs`. */
  readonly wallMs: number;
  readonly genesisMs: number;
  /** Chain time of the first bar and of the end of the last. */
  readonly firstMs: number;
  readonly endMs: number;
}

export interface PlannedRows {
  readonly firstMs: number;
  readonly endMs: number;
}

export function schedule(
  rows: PlannedRows,
  scale: number,
  setupMs: number,
  nowMs: number,
): Schedule {
  return {
    scale,
    wallMs: nowMs,
    genesisMs: rows.firstMs - setupMs * scale,
    firstMs: rows.firstMs,
    endMs: rows.endMs,
  };
}

/** Real time at which the chain's clock shows `chainMs`. */
export function wallTimeOf({ wallMs, genesisMs, scale }: Schedule, chainMs: number): number {
  return wallMs + (chainMs - genesisMs) / scale;
}

/** Configuration keys of the clock. */
export function clockValues({ scale, wallMs, genesisMs }: Schedule): FileValues {
  return {
    "clock.scale": scale,
    "clock.anchor-chain": formatTimestamp(timestampFromMs(genesisMs)),
    "clock.anchor-wall": formatTimestamp(timestampFromMs(wallMs)),
  };
}

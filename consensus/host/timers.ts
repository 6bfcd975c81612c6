/** When things happen: the round timers the core asks for, and the pace at which heights begin. */
import {
  addMs,
  compareTimestamps,
  type Timestamp,
  timestampToMs,
} from "@keel/proto/bytes/timestamp";
import type { TimerId } from "../core/types.ts";
import type { Clock, Mempool } from "./ports.ts";

export interface PacingConfig {
  /** A block at most this often, from where one height begins to where the next does: a height that takes longer is followed at once. */
  readonly minBlockIntervalMs: number;
  /** Without transactions a block this often, counted in the same way. */
  readonly emptyBlockIntervalMs: number;
  /** False: blocks only for transactions. */
  readonly createEmptyBlocks: boolean;
  /** How long to wait for the precommits still missing after a commit, so that they get into the next block. Skipped when all are in. */
  readonly commitMs: number;
}

/** A block when there is something to say, at most every 200 ms, an empty one each second. */
export const defaultPacing: PacingConfig = {
  minBlockIntervalMs: 200,
  emptyBlockIntervalMs: 1_000,
  createEmptyBlocks: true,
  commitMs: 100,
};

export interface RoundTimers {
  start(timer: TimerId, delayMs: number): void;
  cancelAll(): void;
}

export function createRoundTimers(clock: Clock, onFired: (timer: TimerId) => void): RoundTimers {
  const running = new Set<{ cancel(): void }>();
  return {
    start(timer, delayMs) {
      const handle = clock.startTimer(delayMs, () => {
        running.delete(handle);
        onFired(timer);
      });
      running.add(handle);
    },
    cancelAll() {
      for (const handle of running) handle.cancel();
      running.clear();
    },
  };
}

export interface PacerOptions {
  readonly clock: Clock;
  readonly mempool: Mempool;
  readonly config: PacingConfig;
  /** The next block may be made now. Called once per `begin`. */
  readonly onReady: () => void;
}

export interface PacedHeight {
  /** The previous height, on the monotonic clock: when it began and when its block was decided. Null right after start: no waiting. */
  readonly previous: { readonly begunMs: number; readonly committedMs: number } | null;
  /** No block before this time on the wall clock: the genesis time of a chain about to start. */
  readonly notBefore: Timestamp | null;
  readonly hasAllPrecommits: () => boolean;
}

export interface Pacer {
  /** A height is waiting to begin; forgets the one before. */
  begin(height: PacedHeight): void;
  /** Something changed that may end the wait (a late precommit). */
  poke(): void;
  /** A round after the first needs a block: it is made when an empty one is due, also where blocks wait for transactions. */
  insist(): void;
  readonly isReady: boolean;
  /** The chain's first height, ahead of its genesis time. */
  readonly isBeforeGenesis: boolean;
  stop(): void;
}

/** Genesis times are waited for in steps: the wall clock may be scaled or stepped meanwhile. */
const genesisPollMs = 200;

export function createPacer({ clock, mempool, config, onReady }: PacerOptions): Pacer {
  let waiting: PacedHeight | null = null;
  let timer: { cancel(): void } | null = null;
  let isWatchingPool = false;
  let isInsisting = false;

  function sleep(delayMs: number): void {
    timer?.cancel();
    timer = clock.startTimer(Math.max(1, delayMs), evaluate);
  }

  /** One standing call-back however many heights pass, so that an idle pool does not gather them. */
  function watchPool(): void {
    if (isWatchingPool) return;
    isWatchingPool = true;
    mempool.onAvailable(() => {
      isWatchingPool = false;
      evaluate();
    });
  }

  function ready(): void {
    timer?.cancel();
    timer = null;
    waiting = null;
    onReady();
  }

  /** Milliseconds to the genesis time, 0 once it has passed. */
  function untilGenesisMs(): number {
    const notBefore = waiting?.notBefore ?? null;
    const now = clock.now();
    if (notBefore === null || compareTimestamps(now, notBefore) >= 0) return 0;
    return timestampToMs(addMs(notBefore, 1)) - timestampToMs(now);
  }

  function evaluate(): void {
    if (waiting === null) return;
    const { previous, hasAllPrecommits } = waiting;
    const genesisMs = untilGenesisMs();
    if (genesisMs > 0) return sleep(Math.min(genesisMs, genesisPollMs));
    if (previous === null) return ready();
    const nowMs = clock.monotonicMs();
    const { begunMs, committedMs } = previous;
    const waitMs = Math.max(
      begunMs + config.minBlockIntervalMs - nowMs,
      hasAllPrecommits() ? 0 : committedMs + config.commitMs - nowMs,
    );
    if (waitMs > 0) return sleep(waitMs);
    if (mempool.size() > 0) return ready();
    if (config.createEmptyBlocks || isInsisting) {
      const emptyMs = begunMs + config.emptyBlockIntervalMs - nowMs;
      if (emptyMs <= 0) return ready();
      sleep(emptyMs);
    }
    watchPool();
  }

  return {
    begin(height) {
      waiting = height;
      isInsisting = false;
      evaluate();
    },
    poke: evaluate,
    insist() {
      isInsisting = true;
      evaluate();
    },
    get isReady() {
      return waiting === null;
    },
    get isBeforeGenesis() {
      return untilGenesisMs() > 0;
    },
    stop() {
      timer?.cancel();
      timer = null;
      waiting = null;
    },
  };
}

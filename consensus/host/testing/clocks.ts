/** Clocks for tests: the machine's own, and one that moves only when told to. */
import { timestampFromMs } from "@keel/proto/bytes/timestamp";
import type { Clock } from "../ports.ts";

export function createRealClock(offsetMs = 0): Clock {
  return {
    now: () => timestampFromMs(Date.now() + offsetMs),
    monotonicMs: () => performance.now(),
    startTimer(delayMs, callback) {
      const timer = setTimeout(callback, delayMs);
      return { cancel: () => clearTimeout(timer) };
    },
  };
}

export interface ManualClock extends Clock {
  /** Moves on, firing what falls due, in order. */
  advance(ms: number): void;
}

export function createManualClock(startMs: number): ManualClock {
  let elapsedMs = 0;
  let sequence = 0;
  const timers = new Map<number, { readonly atMs: number; readonly callback: () => void }>();

  function nextDue(untilMs: number): number | null {
    let due: number | null = null;
    for (const [id, timer] of timers) {
      if (timer.atMs > untilMs) continue;
      if (due === null || timer.atMs < (timers.get(due)?.atMs ?? Number.POSITIVE_INFINITY))
        due = id;
    }
    return due;
  }

  return {
    now: () => timestampFromMs(startMs + Math.floor(elapsedMs)),
    monotonicMs: () => elapsedMs,
    startTimer(delayMs, callback) {
      const id = sequence++;
      timers.set(id, { atMs: elapsedMs + delayMs, callback });
      return { cancel: () => void timers.delete(id) };
    },
    advance(ms) {
      const untilMs = elapsedMs + ms;
      for (let id = nextDue(untilMs); id !== null; id = nextDue(untilMs)) {
        const timer = timers.get(id);
        timers.delete(id);
        elapsedMs = Math.max(elapsedMs, timer?.atMs ?? elapsedMs);
        timer?.callback();
      }
      elapsedMs = untilMs;
    },
  };
}

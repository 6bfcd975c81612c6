/** What several tests of this folder need: a real clock, a virtual one, and waiting for a condition on either. */
import type { Clock } from "../host/ports.ts";
import { createManualClock, type ManualClock } from "../host/testing/clocks.ts";

export const testClock: Pick<Clock, "monotonicMs" | "startTimer"> = {
  monotonicMs: () => performance.now(),
  startTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Resolves when `condition` holds; rejects with `what` after `timeoutMs`. */
export async function until(
  what: string,
  condition: () => boolean,
  timeoutMs: number = 15_000,
): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const pause = (delayMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, delayMs));

/** A clock whose milliseconds pass only here, so that what is tested about time does not depend on the machine. */
export class VirtualTime {
  readonly clock: ManualClock = createManualClock(0);

  /** Lets `ms` virtual milliseconds pass, promises included. */
  async pass(ms: number): Promise<void> {
    for (let i = 0; i < ms; i++) {
      this.clock.advance(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Lets time pass until `condition` holds; rejects with `what` after `withinMs` virtual milliseconds. */
  async until(what: string, condition: () => boolean, withinMs: number = 5_000): Promise<void> {
    for (let i = 0; !condition(); i++) {
      if (i >= withinMs) throw new Error(`waited ${withinMs} virtual ms in vain: ${what}`);
      await this.pass(1);
    }
  }

  /** Lets time pass until the promise has settled; its value, or its rejection. */
  async settle<T>(promise: Promise<T>, withinMs: number = 60_000): Promise<T> {
    let isSettled = false;
    const done = (): void => {
      isSettled = true;
    };
    promise.then(done, done);
    await this.until("the promise", () => isSettled, withinMs);
    return promise;
  }
}

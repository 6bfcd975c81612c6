/** How long a chain stood still while it was watched, in real time. */
import { heightOf } from "./network.ts";

const POLL_MS = 100;

/**
 * Real milliseconds of the longest stretch without a new block at `rpc` while `run` lasts, from its beginning to its end. A node that
 * does not answer shows no block.
 */
export async function longestGapDuring(rpc: string, run: () => Promise<void>): Promise<number> {
  let isOver = false;
  let height: number | null = null;
  let sinceMs = performance.now();
  let longestMs = 0;
  const look = async (): Promise<void> => {
    const seen = await heightOf(rpc);
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - sinceMs);
    if (seen === null || (height !== null && seen <= height)) return;
    height = seen;
    sinceMs = nowMs;
  };
  const watch = async (): Promise<void> => {
    while (!isOver) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  };
  const watching = watch();
  try {
    await run();
  } finally {
    isOver = true;
    await watching;
  }
  await look();
  return longestMs;
}

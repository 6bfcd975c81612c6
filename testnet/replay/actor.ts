/** The loop every actor of a replay lives in: acts, rests, survives refusals and nodes that are away. */
import { KeelConnectionError, KeelQueryError, KeelTxError } from "@keel/client/errors";

const BACK_OFF_MS = 500;

/** What became of the actors' attempts, for the report. Mutable. */
export interface Attempts {
  done: number;
  /** Refused by the chain, by codespace and code name. */
  readonly refused: Map<string, number>;
  /** No answer or no block in time. */
  lost: number;
}

export function noAttempts(): Attempts {
  return { done: 0, refused: new Map(), lost: 0 };
}

/** A refusal or a lost connection is counted and answers false; anything else is a bug and is thrown. */
export async function attempt(attempts: Attempts, act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    attempts.done += 1;
    return true;
  } catch (error) {
    if (error instanceof KeelTxError) {
      const reason = `${error.codespace} ${error.codeName ?? error.code}`;
      attempts.refused.set(reason, (attempts.refused.get(reason) ?? 0) + 1);
      return false;
    }
    if (error instanceof KeelConnectionError || error instanceof KeelQueryError) {
      attempts.lost += 1;
      await sleep(BACK_OFF_MS);
      return false;
    }
    throw error;
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Runs `turn` until the signal, resting as long as it says. Rejects with the first bug. */
export async function untilStopped(
  signal: AbortSignal,
  turn: () => Promise<number>,
): Promise<void> {
  while (!signal.aborted) await rest(await turn(), signal);
}

function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

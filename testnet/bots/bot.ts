/** A bot is a step repeated: seeded in its choices, patient with a node that is away, and stopped by a signal. */
import { KeelConnectionError, KeelQueryError, KeelTxError } from "@keel/client/errors";
import type { KeelSigningClient } from "@keel/client/signing-client";
import type { SubmitOptions } from "@keel/client/submitter";
import type { Random } from "@keel/node/feeds/random";

export interface BotStats {
  steps: number;
  /** Transactions included. */
  txs: number;
  /** Orders placed. */
  orders: number;
  /** Refusals by "codespace/code", and connection errors by code. */
  readonly failures: Map<string, number>;
}

export interface BotContext {
  readonly client: KeelSigningClient;
  readonly market: string;
  readonly random: Random;
  readonly stats: BotStats;
}

export interface Bot {
  readonly name: string;
  readonly address: string;
  readonly stats: BotStats;
  /** Resolves once the current step is done. Open orders stay, unless the bot withdraws them. */
  stop(): Promise<void>;
}

export interface BotOptions {
  readonly name: string;
  readonly client: KeelSigningClient;
  readonly market: string;
  readonly random: Random;
  /** Mean pause between two steps, by this machine's clock; drawn from half to one and a half of it. */
  readonly intervalMs: number;
  /** Bugs in the bot, not refusals: by default they stop it and are rethrown by `stop`. */
  readonly onFailure?: (error: Error) => void;
}

/**
 * How bots send: nonces instead of a sequence, so that a lost transaction holds up no other; and no long wait, since a node that was restarted
 * has forgotten what it had accepted. The nonce lives long because chain time may run many times faster than ours.
 */
export const botSubmit: SubmitOptions = { unordered: true, timeoutMs: 15_000, ttlMs: 540_000 };

/** Pauses after errors in a row: doubled from the interval up to this. */
const BACKOFF_MAX_MS = 10_000;

export interface BotBehaviour {
  step(context: BotContext): Promise<void>;
  /** Runs once after the last step, when the node answers. */
  leave?(context: BotContext): Promise<void>;
}

export function startBot(options: BotOptions, behaviour: BotBehaviour): Bot {
  const { client, market, random, intervalMs } = options;
  const stats: BotStats = { steps: 0, txs: 0, orders: 0, failures: new Map() };
  const context: BotContext = { client, market, random, stats };
  let stopped = false;
  let wake = (): void => {};
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (stopped) wake();
    });

  async function run(): Promise<void> {
    let errors = 0;
    while (!stopped) {
      try {
        await behaviour.step(context);
        stats.steps++;
        errors = 0;
      } catch (error) {
        countFailure(stats, error);
        errors++;
      }
      const spread = intervalMs * (0.5 + random.next());
      await pause(Math.min(spread * 2 ** Math.min(errors, 10), Math.max(BACKOFF_MAX_MS, spread)));
    }
    try {
      await behaviour.leave?.(context);
    } catch (error) {
      countFailure(stats, error);
    }
  }

  let failure: Error | undefined;
  const running = run().catch((error: unknown) => {
    failure = error instanceof Error ? error : new Error(String(error));
    options.onFailure?.(failure);
  });
  return {
    name: options.name,
    address: client.address,
    stats,
    async stop() {
      stopped = true;
      wake();
      await running;
      if (failure !== undefined && options.onFailure === undefined) throw failure;
    },
  };
}

/** Counts an expected failure; anything else is a bug and is thrown again. */
function countFailure(stats: BotStats, error: unknown): void {
  const key = failureKey(error);
  if (key === undefined) throw error;
  stats.failures.set(key, (stats.failures.get(key) ?? 0) + 1);
}

function failureKey(error: unknown): string | undefined {
  if (error instanceof KeelTxError || error instanceof KeelQueryError)
    return `${error.codespace}/${error.code}`;
  return error instanceof KeelConnectionError ? error.code : undefined;
}

/** The smaller of two amounts. */
export function least(a: bigint, b: bigint): bigint {
  if (a > b) return b;
  return a;
}

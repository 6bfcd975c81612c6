/** Why the protocol did something by itself: liquidations, losses and who bore them, margin that moved, funding rates, halts. */
import { KeelConnectionError } from "./errors.ts";
import type { KeelClient } from "./keel-client.ts";

export interface Quantity {
  readonly name: string;
  /** Exact, as decimal text. */
  readonly value: string;
  /** "quanta", "ppm", "ticks", "lots", "ms"; empty: a count or a word. */
  readonly unit: string;
}

export interface ExplainedEvent {
  /** Among the block's own events, as `block_results` has them. */
  readonly index: number;
  readonly type: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** null: its attributes say it all. */
  readonly explanation: {
    readonly rule: string;
    readonly inputs: readonly Quantity[];
    readonly results: readonly Quantity[];
  } | null;
}

/**
 * The node executes the block again from the state before it, and answers only when that gives the very same events. Without `event` all
 * that have a reason. Refused with `rpc` where the node no longer holds that state (100 heights by default), or was asked within a second.
 */
export async function explain(
  chain: KeelClient,
  height: number,
  event?: number,
): Promise<readonly ExplainedEvent[]> {
  const params = { height: String(height), ...(event === undefined ? {} : { event }) };
  const request = { jsonrpc: "2.0", id: 1, method: "explain", params } as const;
  const { result } = await chain.endpoints.execute(request);
  const events = (result as { readonly events?: unknown } | null)?.events;
  if (!Array.isArray(events))
    throw new KeelConnectionError("bad-answer", "explain: not of the expected form");
  return events as readonly ExplainedEvent[];
}

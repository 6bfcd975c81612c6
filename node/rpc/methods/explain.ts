/** Why the protocol did something by itself: the block is executed again from the state before it, and must give the events it gave. */
import { toProposedBlock } from "@keel/consensus/host/blocks";
import type { ProposedBlock } from "@keel/consensus/host/ports";
import type { Event } from "@keel/consensus/wire/abci";
import type { Explanation } from "@keel/modules/kit/explanation";
import type { ExplainedEvent } from "../../app/explain.ts";
import type { RpcMethods } from "../call.ts";
import type { RpcEnvironment } from "../environment.ts";
import { internalError, invalidParams } from "../json-rpc.ts";
import { EXPLAIN_INTERVAL_MS, EXPLAIN_SHARE, EXPLAINED_BLOCKS_MAX } from "../limits.ts";

export interface ExplainSources {
  readonly app: Pick<RpcEnvironment["app"], "explain">;
  /** null: not stored here, with the validators before it. */
  readonly loadBlock: (height: number) => Promise<ProposedBlock | null>;
  readonly loadEvents: (height: number) => Promise<readonly Event[] | null>;
}

export function explainSources({ app, blocks, states }: RpcEnvironment): ExplainSources {
  return {
    app,
    async loadBlock(height) {
      const stored = await blocks.load(height);
      const validators = await states.loadValidators(height - 1);
      return stored === null || validators === null ? null : toProposedBlock(stored, validators);
    },
    loadEvents: async (height) => (await states.loadFinalizeBlockResponse(height))?.events ?? null,
  };
}

/** `nowMs`: any clock that never goes back. */
export function explainMethods(
  { app, loadBlock, loadEvents }: ExplainSources,
  nowMs: () => number = () => performance.now(),
): RpcMethods {
  const explained = new Map<number, readonly ExplainedEvent[]>();
  let nextMs = Number.NEGATIVE_INFINITY;

  async function explain(height: number): Promise<readonly ExplainedEvent[]> {
    const [block, recorded] = await Promise.all([loadBlock(height), loadEvents(height)]);
    if (block === null || recorded === null)
      throw internalError(`block ${height} or its results are not stored here`);
    const known = explained.get(height);
    if (known !== undefined) return known;
    const startMs = nowMs();
    const waitMs = nextMs - startMs;
    if (waitMs > 0)
      throw internalError(
        `another block was explained just now, ask again in ${Math.ceil(waitMs)} ms`,
      );
    let events: ReturnType<typeof app.explain>;
    try {
      events = app.explain(block);
    } finally {
      const tookMs = nowMs() - startMs;
      nextMs = startMs + Math.max(EXPLAIN_INTERVAL_MS, tookMs * EXPLAIN_SHARE);
    }
    if (events === "gone")
      throw internalError(
        `the state before block ${height} is no longer held by this node; a node with more query-heights may hold it`,
      );
    if (events === "large")
      throw internalError(
        "this chain's state is too large for this node to execute blocks again while it runs; a node that signs nothing may allow more explain-entries",
      );
    if (!isSame(events, recorded))
      throw internalError(`executing block ${height} again gave other events than it has`);
    const [oldest] = explained.keys();
    if (explained.size >= EXPLAINED_BLOCKS_MAX && oldest !== undefined) explained.delete(oldest);
    explained.set(height, events);
    return events;
  }

  return {
    explain: {
      params: ["height", "event"],
      async handle(params) {
        const height = params.height();
        if (height === undefined || height < 1)
          throw invalidParams("height: expected that of a block");
        const index = params.integer("event");
        const events = await explain(height);
        const chosen = index === undefined ? undefined : events[index];
        if (index !== undefined && chosen === undefined)
          throw invalidParams(
            `event: expected a place among the ${events.length} block events of height ${height}, got ${index}`,
          );
        if (index !== undefined && chosen !== undefined)
          return { height: String(height), events: [view(index, chosen)] };
        const all = events.map((one, at) => view(at, one));
        return { height: String(height), events: all.filter((one) => one.explanation !== null) };
      },
    },
  };
}

export interface ExplainedView {
  /** Among the block's own events, as `block_results` has them. */
  readonly index: number;
  readonly type: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly explanation: Explanation | null;
}

function view(index: number, { event, explanation }: ExplainedEvent): ExplainedView {
  const attributes = Object.fromEntries(event.attributes.map(({ key, value }) => [key, value]));
  return { index, type: event.type, attributes, explanation };
}

function isSame(events: readonly ExplainedEvent[], recorded: readonly Event[]): boolean {
  return (
    events.length === recorded.length &&
    events.every(({ event }, at) => textOf(event) === textOf(recorded[at] as Event))
  );
}

function textOf({ type, attributes }: Event): string {
  return JSON.stringify([type, attributes.map(({ key, value }) => [key, value])]);
}

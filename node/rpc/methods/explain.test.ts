import type { ProposedBlock } from "@keel/consensus/host/ports";
import type { Event } from "@keel/consensus/wire/abci";
import { describe, expect, it } from "vitest";
import type { ExplainedEvent } from "../../app/explain.ts";
import { TestChain } from "../../app/testing/chain.ts";
import { answerCall, type RpcMethods } from "../call.ts";
import { EXPLAINED_BLOCKS_MAX } from "../limits.ts";
import { Params } from "../params.ts";
import { explainMethods } from "./explain.ts";

const event: Event = {
  type: "funding_rate",
  attributes: [{ key: "market", value: "BTC-PERP", index: true }],
};
const explained: ExplainedEvent[] = [
  { event: { ...event, type: "market_updated" }, explanation: null },
  { event, explanation: { rule: "r", inputs: [], results: [] } },
];

/** A node of stored blocks whose results are `explained`, and an application that answers what it is told to. */
function setUp(
  options: { answer?: readonly ExplainedEvent[] | "gone" | "large"; tookMs?: number } = {},
) {
  let nowMs = 0;
  const asked: number[] = [];
  const chain = new TestChain();
  const results = {
    events: explained.map((one) => one.event),
    txResults: [],
    validatorUpdates: [],
    consensusParamUpdates: null,
    appHash: new Uint8Array(0),
  };
  const methods: RpcMethods = explainMethods(
    {
      app: {
        ...chain.app,
        explain: (block: ProposedBlock) => {
          asked.push(block.height);
          nowMs += options.tookMs ?? 0;
          return options.answer ?? explained;
        },
      },
      loadBlock: async (height) => (height > 20 ? null : { ...chain.proposed([]), height }),
      loadEvents: async () => results.events,
    },
    () => nowMs,
  );
  const ask = (params: Record<string, unknown>) =>
    answerCall(methods, "explain", (method) => Params.fromJson(params, method.params), 1);
  const wait = (ms: number) => {
    nowMs += ms;
  };
  return { ask, asked, wait };
}

describe("explain over RPC", () => {
  it("answers one event by its place, and without one all that have a reason", async () => {
    const { ask, asked } = setUp();
    const one = await ask({ height: "7", event: 0 });
    expect(one).toMatchObject({
      result: { height: "7", events: [{ index: 0, type: "market_updated", explanation: null }] },
    });
    const all = await ask({ height: "7" });
    expect(all).toMatchObject({
      result: { events: [{ index: 1, attributes: { market: "BTC-PERP" } }] },
    });
    expect(asked).toEqual([7]);
    expect(await ask({ height: "7", event: 2 })).toMatchObject({
      error: { data: expect.stringContaining("2 block events of height 7, got 2") },
    });
  });

  it("executes a block at most once a second, and remembers a few", async () => {
    const { ask, asked, wait } = setUp();
    await ask({ height: "1" });
    expect(await ask({ height: "2" })).toMatchObject({
      error: { data: expect.stringContaining("ask again in 1000 ms") },
    });
    for (let height = 2; height <= EXPLAINED_BLOCKS_MAX + 1; height++) {
      wait(1_000);
      await ask({ height: String(height) });
    }
    await ask({ height: "2" });
    wait(1_000);
    await ask({ height: "1" });
    expect(asked).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 1]);
  });

  it("leaves the thread nine tenths of the time, however long a block takes", async () => {
    const { ask, asked, wait } = setUp({ tookMs: 3_000 });
    await ask({ height: "1" });
    wait(26_999);
    await ask({ height: "2" });
    expect(asked).toEqual([1]);
    wait(1);
    await ask({ height: "2" });
    expect(asked).toEqual([1, 2]);
  });

  it("refuses blocks that are not there, states that are gone or too large, and events that differ", async () => {
    expect(await setUp().ask({ height: "21" })).toMatchObject({
      error: { data: expect.stringContaining("block 21 or its results are not stored") },
    });
    expect(await setUp().ask({})).toMatchObject({ error: { code: -32602 } });
    for (const [answer, text] of [
      ["gone", "the state before block 3 is no longer held"],
      ["large", "too large"],
      [explained.slice(1), "gave other events"],
    ] as const)
      expect(await setUp({ answer }).ask({ height: "3" })).toMatchObject({
        error: { data: expect.stringContaining(text) },
      });
  });
});

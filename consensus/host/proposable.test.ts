/** What a block says of clocks, each validator takes by its own: later at worst, and never against what the others have decided. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addMs, type Timestamp } from "@keel/proto/bytes/timestamp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryHub } from "../net/memory-transport.ts";
import { createRealClock } from "./testing/clocks.ts";
import { createDisk, createGenesis, startNode, type TestNode } from "./testing/node.ts";

const clock = createRealClock();
const EARLY = "is not to be voted for yet by this machine's clock";

let directory: string;
let nodes: TestNode[];
let hub: MemoryHub;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "keel-proposable-"));
  nodes = [];
  hub = new MemoryHub({ clock });
});
afterEach(async () => {
  for (const node of nodes) await node.kill();
  await rm(directory, { recursive: true, force: true });
});

/** As many validators as clocks; each takes any block from so many milliseconds on after it has first asked. */
async function start(lateMs: readonly number[]): Promise<void> {
  const genesis = createGenesis({ validators: lateMs.length });
  for (const [index, late] of lateMs.entries()) {
    const from = new Map<number, Timestamp>();
    nodes.push(
      await startNode({
        ...{ clock, hub, genesis, disk: createDisk(directory, index) },
        configureApp(app) {
          app.proposableFrom = ({ height }) => {
            const at = from.get(height) ?? addMs(clock.now(), late);
            from.set(height, at);
            return late === 0 ? null : at;
          };
        },
      }),
    );
  }
}

function early(node: TestNode | undefined): number {
  return node?.warnings.filter((text) => text.endsWith(EARLY)).length ?? 0;
}

describe("a block that a clock does not take yet", () => {
  it("is answered by nil, and the same block by yes once the clock has come so far", async () => {
    await start([700]);
    const [node] = nodes;
    await node?.reach(2);
    expect(early(node)).toBeGreaterThan(0);
    expect(node?.disk.book.votes[0]?.blockId.hash.length).toBe(0);
    expect((await node?.disk.blocks.loadSeenCommit(1))?.round).toBeGreaterThan(0);
    expect(node?.fatal).toBeNull();
  });

  it("is executed all the same where the others have decided it", async () => {
    await start([0, 0, 0, 3_600_000]);
    await Promise.all(nodes.map((node) => node.reach(6)));
    expect(nodes.map(({ fatal }) => fatal)).toEqual([null, null, null, null]);
    expect(early(nodes[0])).toBe(0);
    expect(early(nodes[3])).toBeGreaterThan(0);
    expect(nodes[3]?.app.calls).toContain("finalize 6");
    // It never asked for an opinion of what it did not vote for.
    expect(nodes[3]?.app.calls.filter((call) => call.startsWith("process"))).toEqual([]);
  });

  it("stops nobody for longer than clocks differ, where neither side has two thirds", async () => {
    await start([0, 0, 500, 500]);
    await Promise.all(nodes.map((node) => node.reach(3)));
    expect(early(nodes[2])).toBeGreaterThan(0);
    expect(nodes.map(({ fatal }) => fatal)).toEqual([null, null, null, null]);
  });
});

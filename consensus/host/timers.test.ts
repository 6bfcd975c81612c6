import { addMs, timestampFromMs } from "@keel/proto/bytes/timestamp";
import { describe, expect, it } from "vitest";
import { createManualClock, type ManualClock } from "./testing/clocks.ts";
import { createToyMempool, type ToyMempool } from "./testing/toy-mempool.ts";
import {
  createPacer,
  createRoundTimers,
  defaultPacing,
  type Pacer,
  type PacingConfig,
} from "./timers.ts";

interface Scene {
  readonly clock: ManualClock;
  readonly mempool: ToyMempool;
  readonly pacer: Pacer;
  readonly readyAt: number[];
  all: boolean;
}

function scene(config: PacingConfig = defaultPacing): Scene {
  const clock = createManualClock(1_000_000);
  const mempool = createToyMempool();
  const readyAt: number[] = [];
  const pacer = createPacer({
    clock,
    mempool,
    config,
    onReady: () => readyAt.push(clock.monotonicMs()),
  });
  return { clock, mempool, pacer, readyAt, all: true };
}

/** `tookMs`: how long ago the height began whose block has just been decided; null: there was none. */
function begin(at: Scene, tookMs: number | null = 0): void {
  const committedMs = at.clock.monotonicMs();
  const previous = tookMs === null ? null : { begunMs: committedMs - tookMs, committedMs };
  at.pacer.begin({ previous, notBefore: null, hasAllPrecommits: () => at.all });
}

const tx = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("the pace of blocks", () => {
  it("is one empty block a second", () => {
    const at = scene();
    begin(at);
    at.clock.advance(999);
    expect(at.readyAt).toEqual([]);
    at.clock.advance(1);
    expect(at.readyAt).toEqual([1_000]);
  });

  it("is at most one block every 200 ms with transactions waiting, also if they come while it waits", () => {
    const at = scene();
    at.mempool.add(tx("a"));
    begin(at);
    at.clock.advance(199);
    expect(at.readyAt).toEqual([]);
    at.clock.advance(1);
    expect(at.readyAt).toEqual([200]);
    const other = scene();
    begin(other);
    other.clock.advance(500);
    other.mempool.add(tx("b"));
    expect(other.readyAt).toEqual([500]);
  });

  it("counts from where the height before began, so that what making its block took is not waited for again", () => {
    for (const [tookMs, waitMs] of [
      [0, 200],
      [150, 50],
      [200, 0],
      [900, 0],
    ] as const) {
      const at = scene();
      at.clock.advance(1_000);
      at.mempool.add(tx("a"));
      begin(at, tookMs);
      at.clock.advance(300);
      expect(at.readyAt).toEqual([1_000 + waitMs]);
    }
    const empty = scene();
    empty.clock.advance(1_000);
    begin(empty, 300);
    empty.clock.advance(2_000);
    expect(empty.readyAt).toEqual([1_700]);
  });

  it("waits for missing precommits, but not once all are in", () => {
    const config = {
      ...defaultPacing,
      minBlockIntervalMs: 0,
      emptyBlockIntervalMs: 0,
      commitMs: 300,
    };
    const at = scene(config);
    at.all = false;
    begin(at);
    at.clock.advance(100);
    expect(at.readyAt).toEqual([]);
    at.all = true;
    at.pacer.poke();
    expect(at.readyAt).toEqual([100]);
    at.all = false;
    begin(at);
    at.clock.advance(300);
    expect(at.readyAt).toEqual([100, 400]);
  });

  it("is no pace at all when turned off, and none right after a start", () => {
    const at = scene({
      minBlockIntervalMs: 0,
      emptyBlockIntervalMs: 0,
      createEmptyBlocks: true,
      commitMs: 0,
    });
    begin(at);
    expect(at.readyAt).toEqual([0]);
    const restarted = scene();
    begin(restarted, null);
    expect(restarted.readyAt).toEqual([0]);
  });

  it("waits for transactions without end when empty blocks are off, with one call-back however many heights pass", () => {
    const at = scene({ ...defaultPacing, createEmptyBlocks: false });
    let watchers = 0;
    const watch = at.mempool.onAvailable;
    Object.assign(at.mempool, {
      onAvailable: (callback: () => void) => {
        watchers += 1;
        watch(callback);
      },
    });
    begin(at);
    at.clock.advance(1_000_000);
    expect(at.readyAt).toEqual([]);
    for (let height = 0; height < 5; height++) {
      begin(at);
      at.clock.advance(500);
    }
    expect(watchers).toBe(1);
    at.mempool.add(tx("a"));
    expect(at.readyAt.length).toBe(1);
  });

  it("makes an empty block in time all the same, in the height in which one is insisted on", () => {
    const at = scene({ ...defaultPacing, createEmptyBlocks: false });
    begin(at);
    at.clock.advance(300);
    at.pacer.insist();
    at.clock.advance(699);
    expect(at.readyAt).toEqual([]);
    at.clock.advance(1);
    expect(at.readyAt).toEqual([1_000]);
    begin(at);
    at.clock.advance(100_000);
    expect(at.readyAt).toEqual([1_000]);
  });

  it("does not begin before the genesis time", () => {
    const at = scene();
    at.pacer.begin({
      previous: null,
      notBefore: addMs(timestampFromMs(1_000_000), 3_000),
      hasAllPrecommits: () => true,
    });
    at.clock.advance(2_999);
    expect(at.readyAt).toEqual([]);
    expect(at.pacer.isBeforeGenesis).toBe(true);
    at.clock.advance(201);
    expect(at.readyAt.length).toBe(1);
    expect(at.pacer.isBeforeGenesis).toBe(false);
  });
});

describe("round timers", () => {
  it("fire once with their place, and not after being cancelled", () => {
    const clock = createManualClock(0);
    const fired: string[] = [];
    const timers = createRoundTimers(clock, ({ height, round, step }) =>
      fired.push(`${height}/${round}/${step}`),
    );
    timers.start({ height: 1, round: 0, step: "propose" }, 10);
    timers.start({ height: 1, round: 0, step: "prevote" }, 20);
    clock.advance(15);
    timers.cancelAll();
    clock.advance(100);
    expect(fired).toEqual(["1/0/propose"]);
  });
});

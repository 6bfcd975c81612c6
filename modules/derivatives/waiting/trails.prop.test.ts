import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { UndoLog } from "../book/order-terms.ts";
import type { Side } from "../ports.ts";
import { createRandom } from "../random.ts";
import type { TrailingStop } from "./stop-list.ts";
import { Trail, trailTrigger } from "./trails.ts";

interface Followed {
  readonly stop: TrailingStop;
  /** Best mark since it was placed, updated for every order in every block. */
  best: number;
}

/** The reference: every stop carries its best mark. */
function naiveDue(side: Side, stops: readonly Followed[], mark: number): number[] {
  const sign = side === "sell" ? -1 : 1;
  return stops
    .map(({ stop, best }) => ({ id: stop.id, trigger: trailTrigger(side, best, stop) }))
    .filter(({ trigger }) => (side === "sell" ? mark <= trigger : mark >= trigger))
    .sort((a, b) => sign * (a.trigger - b.trigger) || a.id - b.id)
    .map(({ id }) => id);
}

function run(seed: number, side: Side, merges: number): void {
  const random = createRandom(seed);
  const journal: (() => void)[] = [];
  const log: UndoLog = { onRevert: (undo) => void journal.push(undo) };
  const trail = new Trail(side);
  const stored = new Map<number, number>();
  let naive: Followed[] = [];
  let mark = 10_000;
  let id = 1;
  const saved: {
    at: number;
    naive: Followed[];
    mark: number;
    stored: [number, number][];
  }[] = [];

  const remove = (stop: TrailingStop): void => {
    const change = trail.remove(stop, log);
    naive = naive.filter((followed) => followed.stop.id !== stop.id);
    if (change === null) return;
    stored.delete(change.gone);
    if (change.inherits !== null) stored.set(change.inherits.firstId, change.inherits.best);
  };

  for (let step = 0; step < 200; step++) {
    const dice = random.below(100);
    if (dice < 45) {
      const ticks = random.below(2) === 0 ? 1 + random.below(60) : 0;
      const stop = { id, ticks, ppm: ticks > 0 ? 0 : 1 + random.below(6000) };
      id += 1 + random.below(3);
      const begun = trail.insert(stop, mark, log);
      if (begun !== null) stored.set(begun.firstId, begun.best);
      naive.push({ stop, best: mark });
    } else if (dice < 58 && naive.length > 0) {
      remove((naive[random.below(naive.length)] as Followed).stop);
    } else if (dice < 90) {
      mark = Math.max(1, mark + random.below(81) - 40);
      const { gone, joined } = trail.advance(mark, merges, log);
      for (const firstId of gone) stored.delete(firstId);
      if (joined !== null) stored.set(joined.firstId, joined.best);
      for (const followed of naive) {
        const passes = side === "sell" ? mark > followed.best : mark < followed.best;
        if (passes) followed.best = mark;
      }
      const due = trail.due(mark);
      expect(due).toEqual(naiveDue(side, naive, mark));
      for (const fired of due) {
        const followed = naive.find(({ stop }) => stop.id === fired) as Followed;
        if (random.below(4) > 0) remove(followed.stop);
      }
    } else if (dice < 95) {
      const copies = naive.map((followed) => ({ ...followed }));
      saved.push({ at: journal.length, naive: copies, mark, stored: [...stored] });
    } else {
      const back = saved.pop();
      if (back === undefined) continue;
      while (journal.length > back.at) journal.pop()!();
      naive = back.naive;
      mark = back.mark;
      stored.clear();
      for (const [firstId, best] of back.stored) stored.set(firstId, best);
    }
    const wrong = naive.find(({ stop, best }) => trail.bestOf(stop.id) !== best);
    expect(wrong).toBeUndefined();
    if (step % 10 !== 0) continue;
    // What is stored is what is in memory, and memory can be made again from it.
    const marks = [...stored].map(([firstId, best]) => ({ firstId, best }));
    marks.sort((a, b) => a.firstId - b.firstId);
    expect(trail.classes.map(({ firstId, best }) => ({ firstId, best }))).toEqual(marks);
    const stops = naive.map(({ stop }) => stop);
    expect(Trail.from(side, marks, stops).due(mark)).toEqual(naiveDue(side, naive, mark));
  }
}

describe("trailing stops", () => {
  it("fire when a reference that touches each of them in every block fires them, also with joins carried over", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        fc.constantFrom<Side>("sell", "buy"),
        fc.constantFrom(1, 2, 1000),
        run,
      ),
      { numRuns: 40 },
    );
  });

  it("of one class cost one stored mark, whatever their number, and none while the mark is not better", () => {
    const trail = new Trail("sell");
    const log: UndoLog = { onRevert: () => undefined };
    for (let id = 1; id <= 1000; id++) trail.insert({ id, ticks: id, ppm: 0 }, 5000, log);
    expect(trail.classes.length).toBe(1);
    expect(trail.advance(4999, 1000, log)).toEqual({ gone: [], joined: null });
    expect(trail.advance(6000, 1000, log)).toEqual({
      gone: [],
      joined: { firstId: 1, best: 6000 },
    });
    expect(trail.due(6000)).toEqual([]);
    expect(trail.due(5997)).toEqual([1, 2, 3]);
  });

  it("that a mark has passed and not joined yet fire on a node that was just started and on one that was not", () => {
    const log: UndoLog = { onRevert: () => undefined };
    const trail = new Trail("sell");
    // The first is the nearest to its best mark, and every mark after it is lower.
    const stops = [30, 60, 60, 60].map((ticks, n) => ({ id: n + 1, ticks, ppm: 0 }));
    for (const [n, mark] of [100, 97, 95, 90].entries()) {
      trail.insert(stops[n] as TrailingStop, mark, log);
      expect(trail.due(mark)).toEqual([]);
    }
    // Of the three older ones a block joins one.
    for (const mark of [120, 85]) trail.advance(mark, 1, log);
    expect(trail.classes).toHaveLength(2);
    const again = Trail.from("sell", trail.classes, stops);
    expect(again.due(85)).toEqual([1]);
    expect(trail.due(85)).toEqual([1]);
  });
});

/** Virtual time: a queue of events ordered by (time, sequence). Nothing happens between events and nothing happens twice. */

export interface World {
  nowMs(): number;
  /** Runs the action `delayMs` from now; actions of one instant run in the order they were asked for. */
  after(delayMs: number, action: () => void): void;
  /** Runs events until the time is up or `done` says so; true when `done` did. */
  run(limits: { readonly untilMs: number; readonly done?: () => boolean }): boolean;
  events(): number;
}

interface Event {
  readonly timeMs: number;
  readonly sequence: number;
  readonly action: () => void;
}

/** A run that is still busy after this many events is taken for a livelock of the simulated code. */
const EVENTS_MAX = 3_000_000;

export function createWorld(): World {
  const heap: Event[] = [];
  let nowMs = 0;
  let sequence = 0;
  let executed = 0;

  function push(event: Event): void {
    heap.push(event);
    let index = heap.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(heap, index, parent)) return;
      swap(heap, index, parent);
      index = parent;
    }
  }

  function pop(): Event | undefined {
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    heap[0] = last;
    let index = 0;
    for (;;) {
      const [left, right] = [2 * index + 1, 2 * index + 2];
      let least = index;
      if (left < heap.length && isBefore(heap, left, least)) least = left;
      if (right < heap.length && isBefore(heap, right, least)) least = right;
      if (least === index) return top;
      swap(heap, index, least);
      index = least;
    }
  }

  return {
    nowMs: () => nowMs,
    events: () => executed,
    after(delayMs, action) {
      sequence += 1;
      push({ timeMs: nowMs + delayMs, sequence, action });
    },
    run({ untilMs, done }) {
      while (done === undefined || !done()) {
        const next = heap[0];
        if (next === undefined || next.timeMs > untilMs) {
          nowMs = untilMs;
          return false;
        }
        pop();
        nowMs = next.timeMs;
        executed += 1;
        if (executed > EVENTS_MAX)
          throw new Error(`still busy after ${EVENTS_MAX} events at ${nowMs} ms`);
        next.action();
      }
      return true;
    },
  };
}

function isBefore(heap: readonly Event[], left: number, right: number): boolean {
  const [a, b] = [heap[left], heap[right]];
  if (a === undefined || b === undefined) return false;
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.sequence < b.sequence);
}

function swap(heap: Event[], left: number, right: number): void {
  const [a, b] = [heap[left], heap[right]];
  if (a === undefined || b === undefined) return;
  heap[left] = b;
  heap[right] = a;
}

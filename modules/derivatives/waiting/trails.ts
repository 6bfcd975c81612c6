/**
 * The trailing stops of one side of a market, in memory. Orders placed since the same best mark share it for ever after, and those placed
 * one after another lie next to each other: they form classes, ranges of order ids, each with one best mark. A new best mark joins the
 * classes it passes; nothing is done to their orders. So an order that does not fire costs nothing, whatever the market does.
 *
 * Classes a block did not get to join keep a best mark that a later class has passed: what counts is the best of a class and all
 * behind it.
 */
import { AssertionError } from "../../kit/errors.ts";
import { mulDivDown, PPM } from "../../kit/math/mul-div.ts";
import type { UndoLog } from "../book/order-terms.ts";
import { TICKS_MAX } from "../limits.ts";
import type { Side } from "../ports.ts";
import {
  eachStop,
  joinedLists,
  listOf,
  type StopList,
  type TrailingStop,
  withoutStop,
  withStop,
} from "./stop-list.ts";

interface TrailClass {
  readonly firstId: number;
  readonly best: number;
  /** By either kind of distance. */
  readonly byTicks: StopList;
  readonly byPpm: StopList;
}

export interface ClassMark {
  readonly firstId: number;
  readonly best: number;
}

/** Where it fires: at least a tick from the best mark, rounded so that it fires no later than asked. */
export function trailTrigger(side: Side, best: number, stop: TrailingStop): number {
  const share = Number(mulDivDown(BigInt(best), BigInt(stop.ppm), PPM));
  const distance = stop.ticks > 0 ? stop.ticks : share > 1 ? share : 1;
  return side === "sell" ? best - distance : best + distance;
}

export class Trail {
  readonly side: Side;
  #classes: readonly TrailClass[] = [];
  /** No stop fires before the mark gets here: may be too near, never too far. */
  #next: number;

  constructor(side: Side) {
    this.side = side;
    this.#next = this.#never();
  }

  get classes(): readonly ClassMark[] {
    return this.#classes;
  }

  /** From stored marks, first ids ascending, and the stops of all classes. */
  static from(side: Side, marks: readonly ClassMark[], stops: readonly TrailingStop[]): Trail {
    const lists = marks.map(() => ({ byTicks: [] as TrailingStop[], byPpm: [] as TrailingStop[] }));
    for (const stop of stops) {
      const list = lists[classIndex(marks, stop.id)];
      if (list === undefined) throw new AssertionError(`trailing stop ${stop.id} has no class`);
      (stop.ticks > 0 ? list.byTicks : list.byPpm).push(stop);
    }
    const trail = new Trail(side);
    trail.#classes = marks.map((mark, at) => {
      const { byTicks, byPpm } = lists[at] as (typeof lists)[number];
      return { ...mark, byTicks: listOf(byTicks), byPpm: listOf(byPpm) };
    });
    trail.#next = trail.#unknown();
    return trail;
  }

  /** Adds a stop whose id is above all others when `mark` is that of its placement. Returns the class it begins, if it does. */
  insert(stop: TrailingStop, mark: number | null, log: UndoLog): ClassMark | null {
    const last = this.#classes[this.#classes.length - 1];
    const begins = mark !== null && (last === undefined || last.best !== mark);
    const fresh = begins ? { firstId: stop.id, best: mark } : null;
    const classes =
      fresh === null ? this.#classes : [...this.#classes, { ...fresh, byTicks: [], byPpm: [] }];
    const index = classIndex(classes, stop.id);
    const old = classes[index];
    if (old === undefined) throw new AssertionError(`trailing stop ${stop.id} has no class`);
    const changed =
      stop.ticks > 0
        ? { ...old, byTicks: withStop(old.byTicks, stop) }
        : { ...old, byPpm: withStop(old.byPpm, stop) };
    this.#set(replaced(classes, index, changed), log);
    this.#nearer(trailTrigger(this.side, this.#effective(index), stop));
    return fresh;
  }

  /** Takes a stop out. Says which stored marks change: a class without stops goes, and hands a better mark on to the one before. */
  remove(
    stop: TrailingStop,
    log: UndoLog,
  ): { readonly gone: number; readonly inherits: ClassMark | null } | null {
    const index = classIndex(this.#classes, stop.id);
    const old = this.#classes[index] as TrailClass;
    const changed =
      stop.ticks > 0
        ? { ...old, byTicks: withoutStop(old.byTicks, stop) }
        : { ...old, byPpm: withoutStop(old.byPpm, stop) };
    if (changed.byTicks.length + changed.byPpm.length > 0) {
      this.#set(replaced(this.#classes, index, changed), log);
      return null;
    }
    const left = this.#classes.filter((_, at) => at !== index);
    const before = left[index - 1];
    if (before === undefined || !this.#passes(old.best, before.best)) {
      this.#set(left, log);
      return { gone: old.firstId, inherits: null };
    }
    const inherits = { firstId: before.firstId, best: old.best };
    this.#set(replaced(left, index - 1, { ...before, ...inherits }), log);
    return { gone: old.firstId, inherits };
  }

  /** The mark moved: joins the classes it has passed, newest first, at most so many. Says which stored marks change. */
  advance(
    mark: number,
    most: number,
    log: UndoLog,
  ): { readonly gone: readonly number[]; readonly joined: ClassMark | null } {
    const classes = this.#classes;
    let at = classes.length - 1;
    const newest = classes[at];
    if (newest === undefined) return { gone: [], joined: null };
    const best = this.#passes(newest.best, mark) ? newest.best : mark;
    const gone: number[] = [];
    const parts: TrailClass[] = [newest];
    while (at > 0 && gone.length < most) {
      const before = classes[at - 1] as TrailClass;
      if (this.#passes(before.best, best)) break;
      gone.push((classes[at] as TrailClass).firstId);
      parts.push(before);
      at -= 1;
    }
    if (gone.length === 0 && best === newest.best) return { gone, joined: null };
    const joined = { firstId: (classes[at] as TrailClass).firstId, best };
    const all: TrailClass = {
      ...joined,
      byTicks: joinedLists(parts.map(({ byTicks }) => byTicks)),
      byPpm: joinedLists(parts.map(({ byPpm }) => byPpm)),
    };
    this.#set([...classes.slice(0, at), all], log);
    for (const stop of [all.byTicks[0]?.[0], all.byPpm[0]?.[0]])
      if (stop !== undefined) this.#nearer(trailTrigger(this.side, best, stop));
    // Those that were passed and not joined follow too, and nobody has looked at them.
    if (gone.length === most) this.#next = this.#unknown();
    return { gone, joined };
  }

  /** Ids of the stops that fire at this mark, the earliest reached first, then by id. */
  due(mark: number): number[] {
    if (!this.#reached(mark, this.#next)) return [];
    const found: { id: number; trigger: number }[] = [];
    let next = this.#never();
    let best = this.side === "sell" ? 0 : TICKS_MAX;
    for (let index = this.#classes.length - 1; index >= 0; index--) {
      const { best: own, byTicks, byPpm } = this.#classes[index] as TrailClass;
      if (this.#passes(own, best)) best = own;
      for (const list of [byTicks, byPpm]) {
        for (const stop of eachStop(list)) {
          const trigger = trailTrigger(this.side, best, stop);
          if (this.#passes(trigger, next)) next = trigger;
          if (!this.#reached(mark, trigger)) break;
          found.push({ id: stop.id, trigger });
        }
      }
    }
    this.#next = next;
    const sign = this.side === "sell" ? -1 : 1;
    found.sort((a, b) => sign * (a.trigger - b.trigger) || a.id - b.id);
    return found.map(({ id }) => id);
  }

  /** Best mark since this stop was placed. */
  bestOf(id: number): number {
    return this.#effective(classIndex(this.#classes, id));
  }

  /** Of a class: its own, or that of a later class not joined yet. */
  #effective(index: number): number {
    let best = (this.#classes[index] as TrailClass).best;
    for (let at = index + 1; at < this.#classes.length; at++) {
      const later = (this.#classes[at] as TrailClass).best;
      if (this.#passes(later, best)) best = later;
    }
    return best;
  }

  /** `a` lies further on the way that gains: above for sells, below for buys. */
  #passes(a: number, b: number): boolean {
    return this.side === "sell" ? a > b : a < b;
  }

  #reached(mark: number, trigger: number): boolean {
    return this.side === "sell" ? mark <= trigger : mark >= trigger;
  }

  #never(): number {
    return this.side === "sell" ? 0 : TICKS_MAX + TICKS_MAX;
  }

  /** Every mark reaches it. */
  #unknown(): number {
    return this.side === "sell" ? TICKS_MAX : 0;
  }

  #nearer(trigger: number): void {
    if (this.#passes(trigger, this.#next)) this.#next = trigger;
  }

  #set(classes: readonly TrailClass[], log: UndoLog): void {
    const before = this.#classes;
    this.#classes = classes;
    log.onRevert(() => {
      this.#classes = before;
      // Unknown again: look at the next mark, whatever it is.
      this.#next = this.#unknown();
    });
  }
}

/** The last class that begins at or before this id, or -1. */
function classIndex(classes: readonly ClassMark[], id: number): number {
  let low = 0;
  let high = classes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((classes[middle] as ClassMark).firstId <= id) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function replaced(
  classes: readonly TrailClass[],
  index: number,
  changed: TrailClass,
): readonly TrailClass[] {
  const next = [...classes];
  next[index] = changed;
  return next;
}

/**
 * Trailing stops in the order in which they are reached: by distance, then id. In chunks, so that a change copies two short arrays, and what its
 * inverse keeps is as short: a class may hold all stops of a market, and a block take out thousands of them.
 */
import { AssertionError } from "../../kit/errors.ts";

export interface TrailingStop {
  readonly id: number;
  /** Distance behind the best mark: ticks, or ppm of it when ticks is 0. */
  readonly ticks: number;
  readonly ppm: number;
}

/** Chunks, ascending and none empty. */
export type StopList = readonly (readonly TrailingStop[])[];

/** Stops of a chunk that was just made; it is split at twice as many. */
const CHUNK = 256;

function byDistance(a: TrailingStop, b: TrailingStop): number {
  return a.ticks - b.ticks || a.ppm - b.ppm || a.id - b.id;
}

/** In any order. */
export function listOf(stops: readonly TrailingStop[]): StopList {
  const sorted = [...stops].sort(byDistance);
  const chunks: TrailingStop[][] = [];
  for (let at = 0; at < sorted.length; at += CHUNK) chunks.push(sorted.slice(at, at + CHUNK));
  return chunks;
}

/** One list of all; with one of them not empty, that one. */
export function joinedLists(lists: readonly StopList[]): StopList {
  const full = lists.filter((list) => list.length > 0);
  return full.length === 1 ? (full[0] as StopList) : listOf(full.flat(2));
}

export function* eachStop(list: StopList): Generator<TrailingStop> {
  for (const chunk of list) yield* chunk;
}

export function withStop(list: StopList, stop: TrailingStop): StopList {
  if (list.length === 0) return [[stop]];
  const found = placeIn(list, (chunk) => byDistance(lastOf(chunk), stop) < 0);
  const index = found < list.length ? found : list.length - 1;
  const chunk = [...(list[index] as readonly TrailingStop[])];
  chunk.splice(
    placeIn(chunk, (one) => byDistance(one, stop) < 0),
    0,
    stop,
  );
  const split = chunk.length >= 2 * CHUNK;
  return replaced(list, index, split ? [chunk.slice(0, CHUNK), chunk.slice(CHUNK)] : [chunk]);
}

export function withoutStop(list: StopList, stop: TrailingStop): StopList {
  const index = placeIn(list, (chunk) => byDistance(lastOf(chunk), stop) < 0);
  const chunk = [...(list[index] ?? [])];
  const at = placeIn(chunk, (one) => byDistance(one, stop) < 0);
  const [gone] = chunk.splice(at, 1);
  if (gone?.id !== stop.id)
    throw new AssertionError(`trailing stop ${stop.id} is not in its class`);
  return replaced(list, index, chunk.length === 0 ? [] : [chunk]);
}

function lastOf(chunk: readonly TrailingStop[]): TrailingStop {
  return chunk[chunk.length - 1] as TrailingStop;
}

/** How many come before: `isBefore` holds for them and for no other. */
function placeIn<T>(items: readonly T[], isBefore: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(items[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function replaced(
  list: StopList,
  index: number,
  chunks: readonly (readonly TrailingStop[])[],
): StopList {
  const next = [...list];
  next.splice(index, 1, ...chunks);
  return next;
}

/** Evaluates a query on the event index: which transactions or blocks meet it, in the order of the chain. */
import type { Event } from "@keel/consensus/wire/abci";
import { searchCheckedMax, searchScanMax } from "../limits.ts";
import {
  type Condition,
  conditionHolds,
  eventTypeOf,
  type Query,
  QueryError,
} from "../query-grammar.ts";
import type { Database, Range } from "../types.ts";
import {
  afterPrefix,
  atHeight,
  comparePlaces,
  type EventPrefix,
  type Place,
  placesOfEntry,
  tagPrefix,
  valueOfEventKey,
  valuePrefix,
} from "./event-keys.ts";

export interface SearchScope {
  readonly prefix: EventPrefix;
  /** `tx.height` or `block.height`: answered from the place itself. */
  readonly heightTag: string;
  /** Places by height alone, for queries that ask for nothing else. */
  placesIn(heights: HeightRange): AsyncIterable<Place>;
  /** Events at a place, to check what the scanned condition does not say. */
  eventsAt(place: Place): Promise<readonly Event[] | null>;
}

/** Both inclusive. */
export interface HeightRange {
  readonly low: number;
  readonly high: number;
}

/** Ascending, each place once. Throws `QueryError` when the query is so broad that answering would take too long. */
export async function searchEvents(
  database: Database,
  scope: SearchScope,
  query: Query,
): Promise<Place[]> {
  const onHeight = query.conditions.filter(({ tag }) => tag === scope.heightTag);
  const onEvents = query.conditions.filter(({ tag }) => tag !== scope.heightTag);
  const heights = heightRangeOf(onHeight);
  const places =
    onEvents.length === 0
      ? await collect(scope.placesIn(heights), searchScanMax)
      : await narrowest(database, scope, { conditions: onEvents, heights });
  if (places === null) throw tooBroad(scope, searchScanMax);
  const mustCheck = onEvents.length > 1;
  if (mustCheck && places.length > searchCheckedMax) throw tooBroad(scope, searchCheckedMax);
  const found: Place[] = [];
  for (const place of places) {
    if (!onHeight.every((condition) => conditionHolds(condition, String(place.height)))) continue;
    if (mustCheck) {
      const events = await scope.eventsAt(place);
      if (events === null || !eventsMatch(events, onEvents)) continue;
    }
    found.push(place);
  }
  return found;
}

function tooBroad(scope: SearchScope, max: number): QueryError {
  return new QueryError(`query: more than ${max} candidates, narrow it by ${scope.heightTag}`);
}

/**
 * Conditions on one event type must be met by one occurrence of it; different types may come from different events. Only
 * searchable attributes count.
 */
export function eventsMatch(events: readonly Event[], conditions: readonly Condition[]): boolean {
  const byType = new Map<string, Condition[]>();
  for (const condition of conditions) {
    const type = eventTypeOf(condition.tag);
    byType.set(type, [...(byType.get(type) ?? []), condition]);
  }
  return [...byType].every(([type, group]) =>
    events.some(
      (event) => event.type === type && group.every((condition) => eventMeets(event, condition)),
    ),
  );
}

function eventMeets(event: Event, condition: Condition): boolean {
  return event.attributes.some(
    ({ key, value, index }) =>
      index && `${event.type}.${key}` === condition.tag && conditionHolds(condition, value),
  );
}

interface Candidates {
  readonly conditions: readonly Condition[];
  readonly heights: HeightRange;
}

/**
 * Places of the condition with the fewest entries, found by scanning all with a growing limit: which one is rare cannot be known
 * beforehand. Null when every one exceeds the bound.
 */
async function narrowest(
  database: Database,
  scope: SearchScope,
  { conditions, heights }: Candidates,
): Promise<Place[] | null> {
  let scanned = 0;
  for (let limit = 1_000; ; limit = Math.min(limit * 8, searchScanMax)) {
    for (const condition of conditions) {
      scanned += limit;
      if (scanned > 4 * searchScanMax) return null;
      const places = await collect(
        scanCondition(database, scope.prefix, { condition, heights }),
        limit,
      );
      if (places !== null) return places;
    }
    if (limit === searchScanMax) return null;
  }
}

interface Scan {
  readonly condition: Condition;
  readonly heights: HeightRange;
}

/** Null stands for an entry that was read but does not match: it counts against the bound. */
async function* scanCondition(
  database: Database,
  prefix: EventPrefix,
  { condition, heights }: Scan,
): AsyncGenerator<Place | null> {
  const { tag, operator, operand } = condition;
  if (operator === "=" && operand?.kind === "string") {
    const head = valuePrefix(prefix, tag, operand.text);
    const range: Range = {
      from: atHeight(head, heights.low),
      to: atHeight(head, heights.high + 1),
    };
    for await (const [key, value] of database.range(range)) yield* placesOfEntry(key, value);
    return;
  }
  const head = tagPrefix(prefix, tag);
  for await (const [key, value] of database.range({ from: head, to: afterPrefix(head) })) {
    const places = placesOfEntry(key, value);
    const { height } = places[0] as Place;
    const inHeights = height >= heights.low && height <= heights.high;
    if (inHeights && conditionHolds(condition, valueOfEventKey(key, head))) yield* places;
    else yield null;
  }
}

/** Sorted, without repeats; null once more than `limit` entries came. */
async function collect(
  places: AsyncIterable<Place | null>,
  limit: number,
): Promise<Place[] | null> {
  const found: Place[] = [];
  let scanned = 0;
  for await (const place of places) {
    if (++scanned > limit) return null;
    if (place !== null) found.push(place);
  }
  found.sort(comparePlaces);
  return found.filter((place, i) => i === 0 || comparePlaces(place, found[i - 1] as Place) !== 0);
}

/** Bounds that the conditions on height imply; the conditions themselves are still checked. */
function heightRangeOf(conditions: readonly Condition[]): HeightRange {
  let low = 0;
  let high = Number.MAX_SAFE_INTEGER - 1;
  for (const { operator, operand } of conditions) {
    if (operand?.kind !== "number") continue;
    const floor = operand.value.floor();
    const whole = floor > BigInt(high) ? high : Number(floor);
    if (operator !== "<" && operator !== "<=") low = Math.max(low, whole);
    if (operator !== ">" && operator !== ">=") high = Math.min(high, whole);
  }
  return { low, high };
}

/** Of an encoded FinalizeBlock response the events that tell of trades, orders and funding; everything else is passed over unread. */
import {
  eachField,
  eventsOfResult,
  type Span,
  scanResponse,
} from "../store/level/encoded-response.ts";

export interface MarketEvent {
  readonly type: string;
  readonly attributes: Readonly<Record<string, string>>;
}

const prints: readonly string[] = [
  "trade",
  "auction_cleared",
  "auction_fill",
  "external_trade",
  "deleverage",
  "backstop_takeover",
  "position_settled",
  "position_transferred",
  "funding_rate",
];
const orders: readonly string[] = ["order_filled", "order_cancelled", "order_refused"];

/** Types by their length: most events of a block are none of these, and are told by it without being read. */
type Wanted = ReadonlyMap<number, readonly string[]>;

function byLength(types: readonly string[]): Wanted {
  const map = new Map<number, string[]>();
  for (const type of types) map.set(type.length, [...(map.get(type.length) ?? []), type]);
  return map;
}

const wantedAlways: Wanted = byLength(prints);
const wantedWithOrders: Wanted = byLength([...prints, ...orders]);

/** Fields of `Event` and of its attributes. */
const TYPE = 1;
const ATTRIBUTES = 2;
const KEY = 1;
const VALUE = 2;
/** Of a field of bytes: its number and wire type in one byte, its length in one more where it is short. */
const TYPE_TAG = (TYPE << 3) | 2;

/**
 * In the order in which things happened: transactions, then the block's end. Failed transactions changed nothing. Events of orders are read
 * only when somebody follows one.
 */
export function marketEvents(response: Uint8Array, withOrders: boolean): MarketEvent[] {
  const bytes = Buffer.from(response.buffer, response.byteOffset, response.byteLength);
  const wanted = withOrders ? wantedWithOrders : wantedAlways;
  const { events, results } = scanResponse(bytes);
  const found: MarketEvent[] = [];
  const read = (span: Span): void => {
    const type = typeOf(bytes, span, wanted);
    if (type !== null) found.push({ type, attributes: attributesOf(bytes, span) });
  };
  for (const result of results) {
    if (result.succeeded) for (const event of eventsOfResult(bytes, result)) read(event);
  }
  for (const event of events) read(event);
  return found;
}

/** The type comes first in our own encoding, and every one that is wanted is short. */
function typeOf(bytes: Buffer, { start }: Span, wanted: Wanted): string | null {
  const length = bytes[start + 1] ?? 0;
  const types = bytes[start] === TYPE_TAG ? wanted.get(length) : undefined;
  if (types === undefined) return null;
  const type = bytes.toString("latin1", start + 2, start + 2 + length);
  return types.includes(type) ? type : null;
}

function attributesOf(bytes: Buffer, span: Span): Record<string, string> {
  const attributes: Record<string, string> = {};
  let key = "";
  const visit = (number: number, start: number, end: number): void => {
    if (number === KEY) key = bytes.toString("latin1", start, end);
    else if (number === VALUE) attributes[key] = bytes.toString("utf8", start, end);
  };
  eachField(bytes, span, (number, start, end) => {
    if (number !== ATTRIBUTES) return;
    key = "";
    eachField(bytes, { start, end }, visit);
  });
  return attributes;
}

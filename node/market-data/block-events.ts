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

/** Types that are read. */
const wanted: ReadonlySet<string> = new Set([
  "trade",
  "auction_cleared",
  "auction_fill",
  "external_trade",
  "deleverage",
  "position_settled",
  "position_transferred",
  "order_filled",
  "order_cancelled",
  "order_refused",
  "funding_rate",
]);

/** Fields of `Event` and of its attributes. */
const TYPE = 1;
const ATTRIBUTES = 2;
const KEY = 1;
const VALUE = 2;

/** In the order in which things happened: transactions, then the block's end. Failed transactions changed nothing. */
export function marketEvents(response: Uint8Array): MarketEvent[] {
  const bytes = Buffer.from(response.buffer, response.byteOffset, response.byteLength);
  const { events, results } = scanResponse(bytes);
  const found: MarketEvent[] = [];
  const read = (span: Span): void => {
    const event = readEvent(bytes, span);
    if (event !== null) found.push(event);
  };
  for (const result of results) {
    if (result.succeeded) eventsOfResult(bytes, result).forEach(read);
  }
  events.forEach(read);
  return found;
}

function readEvent(bytes: Buffer, span: Span): MarketEvent | null {
  let type = "";
  const attributes: Record<string, string> = {};
  eachField(bytes, span, (number, start, end) => {
    if (number === TYPE) type = bytes.toString("latin1", start, end);
    else if (number === ATTRIBUTES && wanted.has(type))
      readAttribute(bytes, start, end, attributes);
  });
  return wanted.has(type) ? { type, attributes } : null;
}

function readAttribute(
  bytes: Buffer,
  start: number,
  end: number,
  into: Record<string, string>,
): void {
  let key = "";
  let value = "";
  eachField(bytes, { start, end }, (number, from, to) => {
    if (number === KEY) key = bytes.toString("latin1", from, to);
    else if (number === VALUE) value = bytes.toString("utf8", from, to);
  });
  into[key] = value;
}

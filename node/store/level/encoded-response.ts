/**
 * Reads what the index needs straight from an encoded FinalizeBlock response: where each result and each event lies. Decoding a busy
 * block's thousands of attributes into objects costs several times what indexing them does. The bytes are our own encoding.
 */
import { StoreCorrupt } from "../types.ts";

/** A part of `bytes`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface EncodedResult extends Span {
  /** Code 0. */
  readonly succeeded: boolean;
}

/** Of `ResponseFinalizeBlock`, see `consensus/wire/abci.ts`. */
const BLOCK_EVENTS = 1;
const TX_RESULTS = 2;
/** Of `ExecTxResult`. */
const RESULT_CODE = 1;
const RESULT_EVENTS = 7;

/** Spans of the block's own events and of its results, in order. */
export function scanResponse(bytes: Uint8Array): {
  readonly events: readonly Span[];
  readonly results: readonly EncodedResult[];
} {
  const events: Span[] = [];
  const results: EncodedResult[] = [];
  eachField(bytes, { start: 0, end: bytes.length }, (number, start, end) => {
    if (number === BLOCK_EVENTS) events.push({ start, end });
    else if (number === TX_RESULTS) results.push({ start, end, succeeded: succeeds(bytes, start) });
  });
  return { events, results };
}

/** Of the result that begins at `start`: a code that is not 0 is its first field, and 0 is not written. */
export function succeeds(bytes: Uint8Array, start: number): boolean {
  return bytes[start] !== RESULT_CODE << 3;
}

export function eventsOfResult(bytes: Uint8Array, result: Span): Span[] {
  const events: Span[] = [];
  eachField(bytes, result, (number, start, end) => {
    if (number === RESULT_EVENTS) events.push({ start, end });
  });
  return events;
}

/** Calls back with the content of each field; of a varint with its own bytes. */
export function eachField(
  bytes: Uint8Array,
  { start, end }: Span,
  visit: (number: number, start: number, end: number) => void,
): void {
  let at = start;
  const varint = (): number => {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined || at > end) throw cut();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  };
  while (at < end) {
    const tag = varint();
    let from = at;
    const length = varint();
    if ((tag & 7) === 2) {
      from = at;
      at += length;
      if (at > end) throw cut();
    }
    visit(tag >>> 3, from, at);
  }
}

function cut(): StoreCorrupt {
  return new StoreCorrupt("response to index: cut short");
}

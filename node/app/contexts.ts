/** Contexts for modules, and the events they emit on their way to the wire. */
import { RecordedEvent } from "@keel/consensus/wire/abci";
import type {
  BlockHeader,
  MessageContext,
  ReadContext,
  WriteContext,
} from "@keel/modules/kit/context";
import type { Why } from "@keel/modules/kit/explanation";
import type { GasMeter } from "@keel/modules/kit/gas";
import type { ReadState, WriteState } from "@keel/modules/kit/store";

export function readContext(header: BlockHeader, state: ReadState, gas: GasMeter): ReadContext {
  return { header, state, gas };
}

export function writeContext(
  header: BlockHeader,
  state: WriteState,
  gas: GasMeter,
  events: RecordedEvent[],
  asked?: Asked,
): WriteContext {
  const emit = asked === undefined ? emitter(events) : explainedEmitter(events, asked);
  return { header, state, gas, emit };
}

export function messageContext(
  context: WriteContext,
  signers: readonly Uint8Array[],
): MessageContext {
  const { header, state, gas, emit } = context;
  return { header, state, gas, emit, signers };
}

/** Told of each event why it came. */
export type Asked = (event: RecordedEvent, why: Why) => void;

function explainedEmitter(events: RecordedEvent[], asked: Asked): WriteContext["emit"] {
  return (type, attributes, why) => {
    const event = new RecordedEvent(type, attributes);
    events.push(event);
    if (why !== undefined) asked(event, why);
  };
}

function emitter(events: RecordedEvent[]): WriteContext["emit"] {
  return (type, attributes) => {
    events.push(new RecordedEvent(type, attributes));
  };
}

/** Puts a last attribute on the events from place `from` on. */
export function mark(
  events: readonly RecordedEvent[],
  from: number,
  key: string,
  value: string,
): void {
  for (let at = from; at < events.length; at++) {
    const event = events[at] as RecordedEvent;
    event.lastKey = key;
    event.lastValue = value;
  }
}

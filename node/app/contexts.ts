/** Contexts for modules, and the events they emit on their way to the wire. */
import type { EventAttribute, Event as WireEvent } from "@keel/consensus/wire/abci";
import type {
  BlockHeader,
  MessageContext,
  ReadContext,
  WriteContext,
} from "@keel/modules/kit/context";
import type { GasMeter } from "@keel/modules/kit/gas";
import type { ReadState, WriteState } from "@keel/modules/kit/store";

export function readContext(header: BlockHeader, state: ReadState, gas: GasMeter): ReadContext {
  return { header, state, gas };
}

/** Events as they are collected: every attribute is searchable, as the SDK marks them by default. */
export interface CollectedEvent extends WireEvent {
  readonly attributes: EventAttribute[];
}

export function writeContext(
  header: BlockHeader,
  state: WriteState,
  gas: GasMeter,
  events: CollectedEvent[],
): WriteContext {
  return { header, state, gas, emit: emitter(events) };
}

export function messageContext(
  context: WriteContext,
  signers: readonly Uint8Array[],
): MessageContext {
  const { header, state, gas, emit } = context;
  return { header, state, gas, emit, signers };
}

function emitter(events: CollectedEvent[]): WriteContext["emit"] {
  return (type, attributes) => {
    const list: EventAttribute[] = [];
    // Attributes are plain records, whose own names this walks in the order they were written, without a list of them.
    for (const key in attributes) list.push({ key, value: attributes[key] as string, index: true });
    events.push({ type, attributes: list });
  };
}

/** Puts a last attribute on each of the events. */
export function mark(events: readonly CollectedEvent[], key: string, value: string): void {
  for (const { attributes } of events) attributes.push({ key, value, index: true });
}

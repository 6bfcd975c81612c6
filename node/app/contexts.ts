/** Contexts for modules, and the events they emit on their way to the wire. */
import type { Event as WireEvent } from "@keel/consensus/wire/abci";
import type {
  BlockHeader,
  Event,
  MessageContext,
  ReadContext,
  WriteContext,
} from "@keel/modules/kit/context";
import type { GasMeter } from "@keel/modules/kit/gas";
import type { ReadState, WriteState } from "@keel/modules/kit/store";

export function readContext(header: BlockHeader, state: ReadState, gas: GasMeter): ReadContext {
  return { header, state, gas };
}

export function writeContext(
  header: BlockHeader,
  state: WriteState,
  gas: GasMeter,
  events: Event[],
): WriteContext {
  return {
    header,
    state,
    gas,
    emit(type, attributes) {
      events.push({
        type,
        attributes: Object.entries(attributes).map(([key, value]) => ({ key, value })),
      });
    },
  };
}

export function messageContext(
  context: WriteContext,
  signers: readonly Uint8Array[],
): MessageContext {
  return { ...context, signers };
}

/** Every attribute is searchable, as the SDK marks them by default. `extra` goes last in each event. */
export function toWireEvents(
  events: readonly Event[],
  extra?: { readonly key: string; readonly value: string },
): WireEvent[] {
  return events.map(({ type, attributes }) => ({
    type,
    attributes: (extra === undefined ? attributes : [...attributes, extra]).map(
      ({ key, value }) => ({ key, value, index: true }),
    ),
  }));
}

/** What the application answers: events, results, validator updates, the finalize response; their wire form and the results hash. */

import {
  boolean,
  bytes,
  count64,
  embedded,
  int64,
  literal,
  nullable,
  repeated,
  text,
  uint32,
} from "./fields.ts";
import { publicKeyMessage } from "./keys.ts";
import {
  addressBytes,
  attributesMax,
  blockTransactionsMax,
  commitSignaturesMax,
  eventsMax,
  finalizeBlockResponseBytesMax,
} from "./limits.ts";
import { merkleRoot } from "./merkle.ts";
import { type Message, message, remembered } from "./message.ts";
import { consensusParamsUpdateMessage } from "./params.ts";
import { timestampMessage } from "./timestamp.ts";
import type { ConsensusParamsUpdate, Misbehavior } from "./types.ts";
import { Writer } from "./writer.ts";

export interface EventAttribute {
  readonly key: string;
  readonly value: string;
  /** Searchable. */
  readonly index: boolean;
}

export interface Event {
  readonly type: string;
  readonly attributes: readonly EventAttribute[];
}

/**
 * An event as the state machine emits it: the record of its attributes, all searchable, and one that whoever collects it adds last. The list
 * is made for those who ask; a busy block holds a hundred thousand attributes that are only ever written.
 */
export class RecordedEvent implements Event {
  readonly type: string;
  readonly record: Readonly<Record<string, string>>;
  lastKey = "";
  lastValue = "";

  constructor(type: string, record: Readonly<Record<string, string>>) {
    this.type = type;
    this.record = record;
  }

  /** In the order they were written in. */
  get attributes(): readonly EventAttribute[] {
    const list: EventAttribute[] = [];
    const { record } = this;
    for (const key in record) list.push({ key, value: record[key] as string, index: true });
    if (this.lastKey !== "") list.push({ key: this.lastKey, value: this.lastValue, index: true });
    return list;
  }
}

export interface ExecTxResult {
  /** 0 is success. */
  readonly code: number;
  readonly data: Uint8Array;
  readonly log: string;
  readonly info: string;
  readonly gasWanted: bigint;
  readonly gasUsed: bigint;
  readonly events: readonly Event[];
  readonly codespace: string;
}

export interface ValidatorUpdate {
  /** ed25519, 32 bytes. */
  readonly pubKey: Uint8Array;
  /** 0 removes the validator. */
  readonly power: bigint;
}

export interface FinalizeBlockResponse {
  readonly events: readonly Event[];
  /** One per transaction, in order. */
  readonly txResults: readonly ExecTxResult[];
  /** Act two heights later. */
  readonly validatorUpdates: readonly ValidatorUpdate[];
  /** Act at the next height; null changes nothing. */
  readonly consensusParamUpdates: ConsensusParamsUpdate | null;
  readonly appHash: Uint8Array;
}

/** Field number × 8 + wire type. */
const TYPE_TAG = 10;
const ATTRIBUTE_TAG = 18;
const KEY_TAG = 10;
const VALUE_TAG = 18;
const INDEX_TAG = 24;

const attributeMessage: Message<EventAttribute> = message<EventAttribute>("EventAttribute", {
  key: text(1),
  value: text(2),
  index: boolean(3),
});

const plainEventMessage = message<Event>("Event", {
  type: text(1),
  attributes: repeated(2, attributeMessage, attributesMax),
});

/** `tendermint.abci.Event`. */
export const eventMessage: Message<Event> = {
  ...plainEventMessage,
  writeTo(writer, event) {
    if (event instanceof RecordedEvent) writeRecorded(writer, event);
    else plainEventMessage.writeTo(writer, event);
  },
  encode(event) {
    const writer = new Writer();
    eventMessage.writeTo(writer, event);
    return writer.finish();
  },
};

/** As the table says, from the record. */
function writeRecorded(writer: Writer, event: RecordedEvent): void {
  const { type, record, lastKey, lastValue } = event;
  if (type !== "") {
    writer.byte(TYPE_TAG);
    writer.text(type);
  }
  for (const key in record) writeAttribute(writer, key, record[key] as string);
  if (lastKey !== "") writeAttribute(writer, lastKey, lastValue);
}

function writeAttribute(writer: Writer, key: string, value: string): void {
  writer.byte(ATTRIBUTE_TAG);
  const place = writer.open();
  if (key !== "") {
    writer.byte(KEY_TAG);
    writer.text(key);
  }
  if (value !== "") {
    writer.byte(VALUE_TAG);
    writer.text(value);
  }
  writer.byte(INDEX_TAG);
  writer.byte(1);
  writer.close(place);
}

/** `tendermint.abci.ExecTxResult`. */
export const execTxResultMessage: Message<ExecTxResult> = message<ExecTxResult>("ExecTxResult", {
  code: uint32(1),
  data: bytes(2),
  log: text(3),
  info: text(4),
  gasWanted: int64(5),
  gasUsed: int64(6),
  events: repeated(7, eventMessage, eventsMax),
  codespace: text(8),
});

/** `tendermint.abci.ValidatorUpdate`. */
export const validatorUpdateMessage: Message<ValidatorUpdate> = message<ValidatorUpdate>(
  "ValidatorUpdate",
  {
    pubKey: embedded(1, publicKeyMessage),
    power: int64(2),
  },
);

/** `tendermint.abci.ResponseFinalizeBlock`: stored before the application commits, so that no block is executed twice, and then indexed. */
export const finalizeBlockResponseMessage: Message<FinalizeBlockResponse> = remembered(
  message<FinalizeBlockResponse>(
    "ResponseFinalizeBlock",
    {
      events: repeated(1, eventMessage, eventsMax),
      txResults: repeated(2, execTxResultMessage, blockTransactionsMax),
      validatorUpdates: repeated(3, validatorUpdateMessage, commitSignaturesMax),
      consensusParamUpdates: nullable(4, consensusParamsUpdateMessage),
      appHash: bytes(5),
    },
    { bytesMax: finalizeBlockResponseBytesMax },
  ),
);

const deterministicResultMessage = message<
  Pick<ExecTxResult, "code" | "data" | "gasWanted" | "gasUsed">
>("ExecTxResult", { code: uint32(1), data: bytes(2), gasWanted: int64(5), gasUsed: int64(6) });

/** Leaf of the results hash: code, data and gas only; all zero is an empty leaf. */
export function resultLeaf(
  result: Pick<ExecTxResult, "code" | "data" | "gasWanted" | "gasUsed">,
): Uint8Array {
  return deterministicResultMessage.encode(result);
}

/** `last_results_hash` of the next header. */
export function resultsHash(results: readonly ExecTxResult[]): Uint8Array {
  return merkleRoot(results.map(resultLeaf));
}

/** `tendermint.abci.Misbehavior`. */
export const misbehaviorMessage: Message<Misbehavior> = message<Misbehavior>("Misbehavior", {
  type: literal(1, { duplicateVote: 1, lightClientAttack: 2 }),
  validator: embedded(
    2,
    message<Misbehavior["validator"]>("Validator", {
      address: bytes(1, addressBytes),
      power: int64(3),
    }),
  ),
  height: count64(3),
  time: embedded(4, timestampMessage),
  totalVotingPower: int64(5),
});

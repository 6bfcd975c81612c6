/** Codec of the record that changes with every fill while volume is kept; its size is arithmetic, as of orders. */
import { pooled } from "@keel/proto/bytes/pooled";
import { TraderRecord } from "@keel/proto/gen/keel/derivatives/v1/fees";
import { protoValue, type ValueCodec } from "../../kit/collections/codecs.ts";
import { shortField, varintField } from "../../kit/collections/field-sizes.ts";

/** A packed field: tag, length, varints. */
function packedField(values: readonly bigint[]): number {
  if (values.length === 0) return 0;
  let bytes = 0;
  // A varint is its field without the tag; a zero is one byte here.
  for (const value of values) bytes += value === 0n ? 1 : varintField(value) - 1;
  return 1 + (bytes < 128 ? 1 : 2) + bytes;
}

export function traderSize(record: TraderRecord): number {
  return (
    varintField(record.day) +
    varintField(record.today) +
    varintField(record.window) +
    packedField(record.before) +
    varintField(record.lifetime) +
    varintField(record.actions) +
    varintField(record.trickleMs) +
    shortField(record.referrer.length) +
    shortField(record.referralCode.length)
  );
}

export const traderValue: ValueCodec<TraderRecord> = protoValue(pooled(TraderRecord), traderSize);

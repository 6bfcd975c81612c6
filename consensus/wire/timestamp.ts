/** `google.protobuf.Timestamp` and `Duration` as Comet writes them. */

import { isTimestamp, type Timestamp } from "@keel/proto/bytes/timestamp";
import { int64, integer } from "./fields.ts";
import { type Field, type Message, mapped, message } from "./message.ts";

const nanosPerSecond = 1_000_000_000n;

/** int32; negative only in durations. */
const nanosField: Field<number> = integer(2, -999_999_999, 999_999_999);

/** Go's zero time is an ordinary value here: seconds −62135596800 take eleven bytes. */
export const timestampMessage: Message<Timestamp> = message<Timestamp>(
  "Timestamp",
  { seconds: int64(1), nanos: nanosField },
  {
    check: (time) =>
      isTimestamp(time) ? null : "expected years 1 to 9999 and nanos 0 to 999999999",
  },
);

interface DurationRecord {
  readonly seconds: bigint;
  readonly nanos: number;
}

const durationRecord = message<DurationRecord>(
  "Duration",
  { seconds: int64(1), nanos: nanosField },
  { check: durationProblem },
);

function durationProblem({ seconds, nanos }: DurationRecord): string | null {
  if ((seconds > 0n && nanos < 0) || (seconds < 0n && nanos > 0)) return "expected one sign";
  const total = seconds * nanosPerSecond + BigInt(nanos);
  return BigInt.asIntN(64, total) === total ? null : "expected an int64 of nanoseconds";
}

/** A duration in nanoseconds (Go's int64 range). */
export const durationMessage: Message<bigint> = mapped(durationRecord, splitDuration, joinDuration);

function splitDuration(nanos: bigint): DurationRecord {
  // Truncating toward zero gives seconds and nanos of the same sign, as Go does.
  return { seconds: nanos / nanosPerSecond, nanos: Number(nanos % nanosPerSecond) };
}

function joinDuration({ seconds, nanos }: DurationRecord): bigint {
  return seconds * nanosPerSecond + BigInt(nanos);
}

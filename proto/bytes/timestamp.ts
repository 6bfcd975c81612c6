/** A moment in UTC with nanoseconds, as protobuf's Timestamp has it. JS dates stop at milliseconds, so none is used. */

import { DecodeError } from "./decode-error.ts";

export interface Timestamp {
  /** Whole seconds since 1970-01-01T00:00:00Z, floor. */
  readonly seconds: bigint;
  /** 0 to 999,999,999, counted forward from `seconds`. */
  readonly nanos: number;
}

/** Go's zero `time.Time`, 0001-01-01T00:00:00Z: what an unset time is on Comet's wire. */
export const zeroTime: Timestamp = { seconds: -62_135_596_800n, nanos: 0 };

/** First and last second that RFC 3339 and protobuf can write: years 1 to 9999. */
const secondsMin = -62_135_596_800n;
const secondsMax = 253_402_300_799n;
const nanosPerSecond = 1_000_000_000n;
const secondsPerDay = 86_400n;

/** True within years 1 to 9999 with normal nanoseconds. */
export function isTimestamp(time: Timestamp): boolean {
  return (
    time.seconds >= secondsMin &&
    time.seconds <= secondsMax &&
    Number.isInteger(time.nanos) &&
    time.nanos >= 0 &&
    time.nanos <= 999_999_999
  );
}

/** Total order by moment. */
export function compareTimestamps(a: Timestamp, b: Timestamp): number {
  if (a.seconds !== b.seconds) return a.seconds < b.seconds ? -1 : 1;
  return a.nanos - b.nanos;
}

export function isZeroTime(time: Timestamp): boolean {
  return compareTimestamps(time, zeroTime) === 0;
}

/** Nanoseconds since 1970, negative before. */
export function timestampToNanos(time: Timestamp): bigint {
  return time.seconds * nanosPerSecond + BigInt(time.nanos);
}

/** Inverse of `timestampToNanos`. */
export function timestampFromNanos(nanos: bigint): Timestamp {
  const within = ((nanos % nanosPerSecond) + nanosPerSecond) % nanosPerSecond;
  return { seconds: (nanos - within) / nanosPerSecond, nanos: Number(within) };
}

/** `ms` is a safe integer, negative allowed: what a clock in milliseconds gives. */
export function timestampFromMs(ms: number): Timestamp {
  return timestampFromNanos(BigInt(ms) * 1_000_000n);
}

/** Milliseconds since 1970, rounded down. */
export function timestampToMs(time: Timestamp): number {
  return Number(time.seconds * 1000n) + Math.floor(time.nanos / 1_000_000);
}

export function addMs(time: Timestamp, ms: number | bigint): Timestamp {
  return addNanos(time, BigInt(ms) * 1_000_000n);
}

export function addNanos(time: Timestamp, nanos: bigint): Timestamp {
  return timestampFromNanos(timestampToNanos(time) + nanos);
}

/** RFC 3339 in UTC, fraction without trailing zeros and absent when zero (Go's RFC3339Nano). */
export function formatTimestamp(time: Timestamp): string {
  if (!isTimestamp(time)) throw new RangeError("timestamp: expected years 1 to 9999");
  const ofDay = ((time.seconds % secondsPerDay) + secondsPerDay) % secondsPerDay;
  const { year, month, day } = civilFromDays(Number((time.seconds - ofDay) / secondsPerDay));
  const second = Number(ofDay);
  const clock = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60];
  const fraction = time.nanos.toString().padStart(9, "0").replace(/0+$/, "");
  const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  const hms = clock.map((part) => pad(part, 2)).join(":");
  return `${date}T${hms}${fraction === "" ? "" : `.${fraction}`}Z`;
}

const pattern =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):(\d{2}))$/;

/** Moment of an RFC 3339 text with up to nine fraction digits and Z or an offset; throws `DecodeError`. */
export function parseTimestamp(text: string): Timestamp {
  const match = pattern.exec(text);
  if (match === null) throw bad(text);
  const part = (group: number): number => Number(match[group] ?? "0");
  const [year, month, day] = [part(1), part(2), part(3)];
  const [hour, minute, second] = [part(4), part(5), part(6)];
  const [offsetHour, offsetMinute] = [part(9), part(10)];
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month))
    throw bad(text);
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59)
    throw bad(text);
  const sign = match[8] === "-" ? -1 : 1;
  const offset = sign * (offsetHour * 3600 + offsetMinute * 60);
  const ofDay = hour * 3600 + minute * 60 + second - offset;
  const time = {
    seconds: BigInt(daysFromCivil(year, month, day)) * secondsPerDay + BigInt(ofDay),
    nanos: Number((match[7] ?? "").padEnd(9, "0")),
  };
  if (!isTimestamp(time)) throw bad(text);
  return time;
}

function bad(text: string): DecodeError {
  return new DecodeError("malformed", `time: expected RFC 3339, got "${text.slice(0, 64)}"`);
}

function pad(value: number, width: number): string {
  return value.toString().padStart(width, "0");
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days from 1970-01-01 in the proleptic Gregorian calendar; the year is taken to begin in March. */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const ofEra = y - era * 400;
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468
  );
}

function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const leaps = Math.floor(ofEra / 1460) - Math.floor(ofEra / 36_524) + Math.floor(ofEra / 146_096);
  const yearOfEra = Math.floor((ofEra - leaps) / 365);
  const ofYear =
    ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * ofYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: ofYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  };
}

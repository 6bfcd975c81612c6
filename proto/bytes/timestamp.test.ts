import { describe, expect, test } from "vitest";
import { DecodeError } from "./decode-error.ts";
import {
  addMs,
  compareTimestamps,
  formatTimestamp,
  isZeroTime,
  parseTimestamp,
  timestampFromMs,
  timestampFromNanos,
  timestampToMs,
  timestampToNanos,
  zeroTime,
} from "./timestamp.ts";

describe("timestamps", () => {
  test("text and seconds agree with the calendar", () => {
    const rows: readonly [string, bigint, number][] = [
      ["0001-01-01T00:00:00Z", -62_135_596_800n, 0],
      ["1969-12-31T23:59:59.999999999Z", -1n, 999_999_999],
      ["1970-01-01T00:00:00Z", 0n, 0],
      ["2000-02-29T12:00:00.5Z", 951_825_600n, 500_000_000],
      ["2019-10-13T16:14:44Z", 1_570_983_284n, 0],
      ["2024-12-31T23:59:59.000000001Z", 1_735_689_599n, 1],
      ["9999-12-31T23:59:59.999999999Z", 253_402_300_799n, 999_999_999],
    ];
    for (const [text, seconds, nanos] of rows) {
      expect(parseTimestamp(text)).toEqual({ seconds, nanos });
      expect(formatTimestamp({ seconds, nanos })).toBe(text);
    }
  });

  test("days spread over 800 years agree with the platform's calendar", () => {
    const wrong: string[] = [];
    for (let day = -150_000; day < 150_000; day += 17) {
      const ms = day * 86_400_000 + 12_345_678;
      const text = new Date(ms).toISOString();
      const written = formatTimestamp(timestampFromMs(ms));
      if (written !== text.replace(/0+Z$/, "Z") || timestampToMs(parseTimestamp(text)) !== ms) {
        wrong.push(text);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("offsets are taken back to UTC", () => {
    expect(formatTimestamp(parseTimestamp("2024-03-01T01:30:00.120+02:30"))).toBe(
      "2024-02-29T23:00:00.12Z",
    );
    expect(formatTimestamp(parseTimestamp("2024-02-29T23:00:00-01:00"))).toBe(
      "2024-03-01T00:00:00Z",
    );
  });

  test("texts that name no moment are refused", () => {
    const bad = [
      "",
      "2023-02-29T00:00:00Z",
      "1900-02-29T00:00:00Z",
      "2023-13-01T00:00:00Z",
      "2023-01-01T24:00:00Z",
      "2023-01-01T00:00:60Z",
      "2023-01-01 00:00:00Z",
      "2023-01-01T00:00:00",
      "2023-01-01T00:00:00.Z",
      "2023-01-01T00:00:00.1234567890Z",
      "0001-01-01T00:00:00+01:00",
      "0000-01-01T00:00:00Z",
      "12023-01-01T00:00:00Z",
    ];
    for (const text of bad) expect(() => parseTimestamp(text), text).toThrow(DecodeError);
  });

  test("arithmetic carries across the second, also before 1970", () => {
    expect(addMs({ seconds: 1n, nanos: 999_500_000 }, 1)).toEqual({ seconds: 2n, nanos: 500_000 });
    expect(addMs({ seconds: 0n, nanos: 0 }, -1)).toEqual({ seconds: -1n, nanos: 999_000_000 });
    expect(timestampFromNanos(timestampToNanos(zeroTime))).toEqual(zeroTime);
    expect(timestampToMs({ seconds: -1n, nanos: 999_999_999 })).toBe(-1);
    expect(isZeroTime(zeroTime)).toBe(true);
    expect(compareTimestamps(zeroTime, { seconds: 0n, nanos: 0 })).toBeLessThan(0);
    expect(compareTimestamps({ seconds: 5n, nanos: 2 }, { seconds: 5n, nanos: 1 })).toBeGreaterThan(
      0,
    );
  });
});

import { describe, expect, test } from "vitest";
import { allocate } from "./allocate.ts";

describe("allocated bytes", () => {
  test("are zeros of the length asked for, and nobody else's", () => {
    const lengths = Array.from({ length: 2_000 }, (_, i) => (i * 37) % 2_300);
    const parts = lengths.map((length, i) => {
      const part = allocate(length);
      expect(part.length).toBe(length);
      expect(part.every((byte) => byte === 0)).toBe(true);
      return part.fill(1 + (i % 255));
    });
    parts.forEach((part, i) => {
      expect(part.every((byte) => byte === 1 + (i % 255))).toBe(true);
    });
  });
});

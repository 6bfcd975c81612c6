/** The inclusion list as it travels in a vote. */
import { OracleVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { expect, it } from "vitest";
import { decodeExtension, encodeExtension } from "../extension.ts";
import { EXTENSION_BYTES_MAX, FEEDS_MAX, INCLUSION_LIST_MAX } from "../limits.ts";
import { keysOf, listOf, txKeys } from "./keys.ts";

const keys = txKeys(Array.from({ length: 200 }, (_, i) => Uint8Array.of(i)));

function said(bytes: Uint8Array): { feeds: number; listed: readonly string[] } {
  const decoded = decodeExtension(bytes);
  if ("fault" in decoded) throw new Error(decoded.fault);
  return { feeds: decoded.vote.feeds.length, listed: keysOf(decoded.vote.transactions) };
}

function fault(transactions: Uint8Array): string | null {
  const decoded = decodeExtension(
    OracleVote.encode(OracleVote.fromPartial({ transactions })).finish(),
  );
  return "fault" in decoded ? decoded.fault : null;
}

it("holds the first hundred transactions, in the order of their hashes", () => {
  const { listed } = said(encodeExtension([], [], keys));
  expect(listed).toEqual(keys.slice(0, INCLUSION_LIST_MAX).sort());
  expect(encodeExtension([], [], [])).toEqual(new Uint8Array(0));
});

it("is cut, last ones first, where prices need the bytes", () => {
  for (const count of [1, 60, 80, 100, FEEDS_MAX]) {
    const reports = Array.from({ length: count }, (_, i) => ({
      feedId: 0xff000000 + i,
      mantissa: (1n << 63n) - 1n,
      confidence: (1n << 63n) - 1n,
    }));
    const bytes = encodeExtension(reports, [], keys);
    const { feeds, listed } = said(bytes);
    expect(bytes.length).toBeLessThanOrEqual(EXTENSION_BYTES_MAX);
    expect(feeds).toBe(count);
    expect(listed).toEqual(keys.slice(0, listed.length).sort());
    // No transaction more would have fitted.
    if (listed.length < INCLUSION_LIST_MAX)
      expect(bytes.length + 20).toBeGreaterThan(EXTENSION_BYTES_MAX - 3);
  }
});

it("is malformed with part of a hash, out of order, twice the same, or too long", () => {
  const [a, b] = keys.slice(0, 2).sort() as [string, string];
  const list = listOf([a, b]);
  expect(fault(list)).toBeNull();
  expect(fault(list.subarray(0, 39))).toContain("hashes of 20 bytes");
  expect(fault(Uint8Array.from([...listOf([b]), ...listOf([a])]))).toContain("ascending");
  expect(fault(Uint8Array.from([...listOf([a]), ...listOf([a])]))).toContain("ascending");
  expect(fault(listOf(keys.slice(0, INCLUSION_LIST_MAX)))).toBeNull();
  expect(fault(listOf(keys.slice(0, INCLUSION_LIST_MAX + 1)))).toContain("at most 100");
});

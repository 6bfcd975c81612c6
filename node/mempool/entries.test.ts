import { expect, it } from "vitest";
import { type Entry, PoolEntries } from "./entries.ts";

const entry = (lane: number, length: number): Entry => ({
  tx: new Uint8Array(length),
  hash: "h",
  origin: null,
  signer: "s",
  lane,
  sequenced: false,
  gasWanted: 1n,
  nameable: { timeNs: 0n, height: null },
  admittedAtHeight: 1,
});

it("a transaction that comes again, even in another lane, is counted once and leaves wholly", () => {
  const entries = new PoolEntries();
  entries.add(entry(1, 300));
  entries.add(entry(2, 300));
  expect([entries.size, entries.bytes, entries.firstUnordered(9).length]).toEqual([1, 300, 1]);
  entries.remove("h");
  expect([entries.size, entries.bytes, entries.firstUnordered(9).length]).toEqual([0, 0, 0]);
});

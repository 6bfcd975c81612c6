import { Registry } from "@keel/modules/kit/collections/schema";
import { expect, it } from "vitest";
import { MemoryCommitStore } from "../store/memory-commit-store.ts";
import { AppState } from "./state.ts";

it("keeps what was derived of a height to answer questions until the next one is committed", () => {
  const state = new AppState(new Registry(), new MemoryCommitStore({ stores: [] }), {
    queryHeights: 10,
    restore: () => undefined,
  });
  const book = {};
  const advance = (height: number) =>
    state.advance({ chainId: "c", height, timeNs: BigInt(height), proposer: "" });
  advance(1);
  const first = state.viewAt(1)?.branch;
  first?.derived.set(book, "a book");
  expect(state.viewAt(1)?.branch.derived.has(book)).toBe(true);
  advance(2);
  expect(state.viewAt(1)?.branch).toBe(first);
  expect(first?.derived.has(book)).toBe(false);
});

import { describe, expect, it } from "vitest";
import { Branch } from "./store.ts";

function keys(branch: Branch, descending = false, from = "", to?: string): string[] {
  const out: string[] = [];
  branch.range(0, from, to, (key) => void out.push(key), descending);
  return out;
}

describe("branch", () => {
  it("keeps a fork and its origin independent", () => {
    const origin = Branch.empty(1);
    for (let i = 0; i < 500; i++) origin.set(0, String.fromCharCode(i >> 8, i & 255), i);
    const fork = origin.fork();
    fork.set(0, "\u0001\u0001", "changed");
    fork.delete(0, "\u0000\u0000");
    origin.set(0, "\u0000\u0005", "origin");
    expect(origin.get(0, "\u0001\u0001")).toBe(257);
    expect(origin.get(0, "\u0000\u0000")).toBe(0);
    expect(fork.get(0, "\u0000\u0005")).toBe(5);
    expect(fork.size(0)).toBe(499);
  });

  it("reverts nested savepoints in reverse order, derived structures included", () => {
    const branch = Branch.empty(1);
    branch.set(0, "a", 1);
    const log: string[] = [];
    const outer = branch.savepoint();
    branch.set(0, "a", 2);
    branch.onRevert(() => log.push("first"));
    const inner = branch.savepoint();
    branch.delete(0, "a");
    branch.set(0, "b", 3);
    branch.onRevert(() => log.push("second"));
    branch.revert(inner);
    expect([branch.get(0, "a"), branch.get(0, "b"), log]).toEqual([2, undefined, ["second"]]);
    branch.revert(outer);
    expect([branch.get(0, "a"), log]).toEqual([1, ["second", "first"]]);
  });

  it("adds only where nothing is, and undoes it", () => {
    const branch = Branch.empty(1);
    branch.add(0, "a", 1);
    expect(branch.add(0, "a", 2)).toBe(false);
    expect(branch.get(0, "a")).toBe(1);
    expect([branch.get(0, "a"), branch.size(0)]).toEqual([1, 1]);
    branch.delete(0, "a");
    branch.clearJournal();
    branch.add(0, "a", 3);
    branch.set(0, "a", 4);
    expect([...branch.dirty()]).toEqual([[0, [{ key: "a", before: undefined, value: 4 }]]]);
    branch.revert(0);
    expect([branch.get(0, "a"), branch.size(0)]).toEqual([undefined, 0]);
  });

  it("ranges over [from, to) in byte order, both ways, and stops when told", () => {
    const branch = Branch.empty(1);
    for (const key of ["b", "a", "\u00ff", "c", "ab"]) branch.set(0, key, key);
    expect(keys(branch)).toEqual(["a", "ab", "b", "c", "\u00ff"]);
    expect(keys(branch, false, "ab", "c")).toEqual(["ab", "b"]);
    expect(keys(branch, true, "ab", "c")).toEqual(["b", "ab"]);
    expect(keys(branch, true)).toEqual(["\u00ff", "c", "b", "ab", "a"]);
    const seen: string[] = [];
    branch.range(0, "", undefined, (key) => seen.push(key) === 2);
    expect(seen).toEqual(["a", "ab"]);
  });

  it("names each dirty key once, with what it held and what it holds", () => {
    const branch = Branch.empty(2);
    branch.set(0, "a", 1);
    branch.set(0, "a", 2);
    branch.set(1, "a", 3);
    branch.delete(1, "a");
    expect([...branch.dirty()]).toEqual([
      [0, [{ key: "a", before: undefined, value: 2 }]],
      [1, [{ key: "a", before: undefined, value: undefined }]],
    ]);
    branch.clearJournal();
    expect([...branch.dirty()]).toEqual([]);
    branch.set(0, "a", 4);
    branch.revert(0);
    branch.set(0, "a", 5);
    expect([...branch.dirty()]).toEqual([[0, [{ key: "a", before: 2, value: 5 }]]]);
  });
});

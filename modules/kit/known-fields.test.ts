import { hexToBytes } from "@keel/proto/bytes/hex";
import { expect, it } from "vitest";
import { type FieldTable, unknownFieldProblem } from "./known-fields.ts";

const table: FieldTable = new Map([
  [1, { wireType: 2, packable: false, nested: null }],
  [2, { wireType: 0, packable: true, nested: null }],
  [3, { wireType: 2, packable: false, nested: () => table }],
  [20, { wireType: 5, packable: false, nested: null }],
]);
const problem = (hex: string): string | null => unknownFieldProblem(hexToBytes(hex), table);

it("known fields pass in any order, repeated, packed or not, and nested", () => {
  for (const hex of [
    "",
    "0a0161",
    "1005",
    "12020506",
    "1a020a00",
    "1a041a020a00",
    "10050a00",
    "a50101020304",
  ])
    expect(problem(hex), hex).toBeNull();
});

it("unknown fields, other wire types and cut-off bytes do not", () => {
  expect(problem("2001")).toBe("unknown field 4");
  expect(problem("1a022001")).toBe("unknown field 4");
  expect(problem("0801")).toContain("wire type");
  expect(problem("0a05")).toContain("ends early");
  expect(problem("1a030a0561")).toContain("ends early");
  expect(problem("ff")).toBe("malformed tag");
  expect(problem("10ffffffffffffffffffffff")).toContain("ends early");
  expect(problem("a501010203")).toContain("ends early");
  let deep = "";
  for (let i = 0; i < 20; i++) deep = `1a${(deep.length / 2).toString(16).padStart(2, "0")}${deep}`;
  expect(problem(deep)).toBe("nested too deep");
});

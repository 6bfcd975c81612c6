import { DecodeError } from "@keel/proto/bytes/decode-error";
import { describe, expect, test } from "vitest";
import { partBytesMax } from "./limits.ts";
import { createPartAssembler, maxParts, partMessage, splitIntoParts } from "./part-set.ts";
import type { Part } from "./types.ts";

const content = new Uint8Array(2 * partBytesMax + 10).map((_, i) => i % 251);
const { header, parts } = splitIntoParts(content);
const part = (index: number): Part => parts[index] as Part;

describe("part sets", () => {
  test("bytes are cut at 64 KiB and join again in any order", () => {
    expect(parts.map((one) => one.bytes.length)).toEqual([partBytesMax, partBytesMax, 10]);
    const assembler = createPartAssembler(header);
    expect(assembler.add(part(2))).toBe("added");
    expect(assembler.add(part(0))).toBe("added");
    expect(assembler.add(part(0))).toBe("duplicate");
    expect(assembler.bytes()).toBeNull();
    expect([assembler.count, assembler.isComplete, assembler.has(1)]).toEqual([2, false, false]);
    expect(assembler.add(part(1))).toBe("added");
    expect(Buffer.from(assembler.bytes() ?? []).equals(content)).toBe(true);
    expect(assembler.part(2)).toEqual(part(2));
    expect(assembler.part(3)).toBeNull();
  });

  test("an exact multiple of the part size has no empty last part", () => {
    expect(splitIntoParts(content.subarray(0, partBytesMax)).parts).toHaveLength(1);
  });

  test("parts that do not belong change nothing", () => {
    const assembler = createPartAssembler(header);
    const flipped = part(2).bytes.slice();
    flipped[0] = (flipped[0] ?? 0) ^ 1;
    const wrong: readonly [string, Part][] = [
      ["wrong-proof", { ...part(2), bytes: flipped }],
      ["wrong-proof", { ...part(2), proof: part(1).proof }],
      ["wrong-proof", { ...part(2), proof: { ...part(2).proof, aunts: [] } }],
      ["wrong-proof", { ...part(2), proof: { ...part(2).proof, total: 4 } }],
      ["wrong-index", { ...part(2), index: 3 }],
      ["wrong-index", { ...part(2), index: -1 }],
      ["wrong-size", { ...part(0), bytes: part(0).bytes.slice(1) }],
    ];
    for (const [code, one] of wrong) expect(assembler.add(one)).toBe(code);
    expect(assembler.count).toBe(0);
  });

  test("a decoded part is consistent by itself", () => {
    const broken: readonly Part[] = [
      { ...part(0), bytes: part(0).bytes.slice(1) },
      { ...part(2), bytes: new Uint8Array(0) },
      { ...part(2), index: 1 },
      { ...part(2), index: 3, proof: { ...part(2).proof, index: 3 } },
      { ...part(2), proof: { ...part(2).proof, leafHash: new Uint8Array(31) } },
      { ...part(2), proof: { ...part(2).proof, aunts: [new Uint8Array(33)] } },
      { ...part(2), proof: { ...part(2).proof, total: 100_000 } },
    ];
    for (const one of broken)
      expect(() => partMessage.decode(partMessage.encode(one))).toThrow(DecodeError);
    expect(partMessage.decode(partMessage.encode(part(2)))).toEqual(part(2));
  });

  test("part counts follow from the block size", () => {
    expect([1, partBytesMax, partBytesMax + 1, 22_020_096].map(maxParts)).toEqual([1, 1, 2, 336]);
    expect(() => createPartAssembler({ ...header, total: 0 })).toThrow(RangeError);
    expect(() => createPartAssembler({ ...header, total: 1_000_000 })).toThrow(RangeError);
  });
});

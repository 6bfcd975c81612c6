import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import * as native from "./sha256-node.ts";
import * as pure from "./sha256-pure.ts";

const lengths = Array.from({ length: 1_200 }, (_, i) => i).filter((i) => i < 140 || i % 31 < 3);
const messages = lengths.map((length) =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255),
);

describe.each([
  ["OpenSSL and four lanes", native.sha256Each],
  ["plain JavaScript", pure.sha256Each],
])("many hashes by %s", (_, sha256Each) => {
  test.each([0, 1, 70])("are those of each message after a prefix of %i bytes", (length) => {
    const prefix = new Uint8Array(length).fill(9);
    const all = Buffer.from(sha256Each(messages, prefix));
    messages.forEach((message, i) => {
      const expected = createHash("sha256").update(prefix).update(message).digest("hex");
      expect(all.subarray(32 * i, 32 * i + 32).toString("hex")).toBe(expected);
    });
  });

  test("of nothing are nothing", () => {
    expect(sha256Each([], new Uint8Array(1))).toEqual(new Uint8Array(0));
  });
});

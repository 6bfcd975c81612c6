import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { BOOK_CHECKSUM_LEVELS, bookChecksum } from "./book-checksum.ts";
import { crc32OfText } from "./crc32.ts";

test("the checksum of a text is zlib's", () => {
  for (const text of ["", "a", "123456789", "99.5:2,99:1|100:3", "\u0000\u00ff".repeat(300)])
    expect(crc32OfText(text)).toBe(crc32(Buffer.from(text, "latin1")));
  expect(crc32OfText("123456789")).toBe(0xcbf43926);
});

test("the text of a book is what the documentation says", () => {
  const bids = [
    { price: "99.5", size: "2" },
    { price: "99", size: "1" },
  ];
  const asks = [{ price: "100", size: "3" }];
  expect(bookChecksum(bids, asks)).toBe(crc32OfText("99.5:2,99:1|100:3"));
  expect(bookChecksum([], [])).toBe(crc32OfText("|"));
});

test("levels beyond those that count change nothing, the last that counts does", () => {
  const levels = Array.from({ length: BOOK_CHECKSUM_LEVELS + 1 }, (_, at) => ({
    price: `${100 + at}`,
    size: "1",
  }));
  const counted = levels.slice(0, -1);
  expect(bookChecksum([], levels)).toBe(bookChecksum([], counted));
  expect(bookChecksum([], counted)).not.toBe(bookChecksum([], counted.slice(0, -1)));
});

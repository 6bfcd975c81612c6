import { bookChecksum } from "@keel/proto/bytes/book-checksum";
import { expect, test } from "vitest";
import { placedOf } from "./final-orders.ts";
import { type LevelJson, LiveBook } from "./live-book.ts";

const asLevels = (levels: readonly LevelJson[]) => levels.map(([price, size]) => ({ price, size }));
const checksum = (bids: readonly LevelJson[], asks: readonly LevelJson[]): number =>
  bookChecksum(asLevels(bids), asLevels(asks));

const bids: LevelJson[] = [
  ["100", "2", 1],
  ["99.5", "1", 1],
];
const asks: LevelJson[] = [
  ["100.5", "3", 2],
  ["101", "1", 1],
];

function opened(): LiveBook {
  const book = new LiveBook("BTC-PERP");
  const fits = book.reset(
    { sequence: 7, bids, asks, checksum: checksum(bids, asks), complete: true },
    3,
  );
  expect(fits).toBe(true);
  return book;
}

test("a book follows its updates: levels change, leave and come, best first whatever their text", () => {
  const book = opened();
  const next: LevelJson[] = [
    ["100", "2", 1],
    ["99.75", "5", 1],
    ["99.5", "1", 1],
    ["9.5", "4", 1],
  ];
  const update = {
    previous: 7,
    sequence: 10,
    bids: [
      ["99.75", "5", 1],
      ["9.5", "4", 1],
    ] as LevelJson[],
    asks: [["100.5", "0", 0]] as LevelJson[],
    checksum: checksum(next, [["101", "1", 1]]),
  };
  expect(book.update(update, 4)).toBe(true);
  expect(book.bids().map(({ price }) => price)).toEqual(["100", "99.75", "99.5", "9.5"]);
  expect(book.asks(1)).toEqual([{ price: "101", size: "1", orders: 1 }]);
  expect([book.sequence, book.height, book.isCurrent]).toEqual([10, 4, true]);
});

test("a missed update is noticed by its sequence, and nothing is taken until the next snapshot", () => {
  const book = opened();
  const update = { previous: 8, sequence: 9, bids: [], asks: [], checksum: checksum(bids, asks) };
  expect(book.update(update, 5)).toBe(false);
  expect(book.isCurrent).toBe(false);
  expect(book.update({ ...update, previous: 7 }, 6)).toBe(false);
  expect(book.reset({ ...update, bids, asks, complete: true }, 7)).toBe(true);
  expect(book.isCurrent).toBe(true);
});

test("a wrong level is noticed by the checksum", () => {
  const book = opened();
  const update = { previous: 7, sequence: 8, bids: [], asks: [["101", "0", 0]] as LevelJson[] };
  expect(book.update({ ...update, checksum: checksum(bids, asks) }, 4)).toBe(false);
  expect(book.isCurrent).toBe(false);
});

test("an auction's fate reads like any other order's", () => {
  const placed = {
    orderId: 0n,
    status: "collected",
    filledSize: "0",
    remainingSize: "0",
    averagePrice: "",
    filledQuote: "0",
    fills: 0,
    fee: "0",
    reason: "",
    takeProfitId: 0n,
    stopLossId: 0n,
    round: 0n,
  } as const;
  const fate = {
    status: "open",
    orderId: 4n,
    filledSize: "0.5",
    price: "101.5",
    fee: "0.02",
    remainingSize: "0.25",
    reason: "",
  } as const;
  expect(placedOf(placed, fate)).toMatchObject({
    status: "open",
    orderId: 4n,
    averagePrice: "101.5",
    filledQuote: "50.75",
    fills: 1,
    remainingSize: "0.25",
  });
});

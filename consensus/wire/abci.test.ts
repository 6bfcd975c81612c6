import { describe, expect, test } from "vitest";
import { eventMessage, RecordedEvent } from "./abci.ts";

function listed(event: RecordedEvent): { type: string; attributes: unknown } {
  return { type: event.type, attributes: event.attributes };
}

describe("a recorded event", () => {
  const long = "x".repeat(300);
  const event = new RecordedEvent("order_placed", { order_id: "7", price: "", note: long, ä: "é" });
  event.lastKey = "msg_index";
  event.lastValue = "0";

  test("lists its attributes in the order they were written, the added one last", () => {
    expect(event.attributes.map(({ key, value, index }) => [key, value, index])).toEqual([
      ["order_id", "7", true],
      ["price", "", true],
      ["note", long, true],
      ["ä", "é", true],
      ["msg_index", "0", true],
    ]);
  });

  test("is written as the list would be", () => {
    for (const one of [event, new RecordedEvent("", {}), new RecordedEvent("tx", { "": "a" })]) {
      const plain = listed(one) as Parameters<typeof eventMessage.encode>[0];
      expect(eventMessage.encode(one)).toEqual(eventMessage.encode(plain));
      expect(eventMessage.decode(eventMessage.encode(one))).toEqual(plain);
    }
  });
});

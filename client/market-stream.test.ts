import { bookChecksum } from "@keel/proto/bytes/book-checksum";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { STREAM_SILENCE_MS } from "./limits.ts";
import { MarketStream, type WebSocketLike } from "./market-stream.ts";

/** The node's end of a socket. */
class FakeSocket implements WebSocketLike {
  static opened: FakeSocket[] = [];
  readonly url: string;
  readonly sent: Record<string, unknown>[] = [];
  readyState = 0;
  onopen: WebSocketLike["onopen"] = null;
  onmessage: WebSocketLike["onmessage"] = null;
  onerror: WebSocketLike["onerror"] = null;
  onclose: WebSocketLike["onclose"] = null;

  constructor(url: string) {
    this.url = url;
    FakeSocket.opened.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose?.({} as never);
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.({} as never);
  }

  say(message: unknown): void {
    this.onmessage?.({ data: JSON.stringify(message) } as never);
  }
}

const market = "BTC-PERP";
const checksum = bookChecksum([{ price: "100", size: "1" }], []);
const head = { channel: "book", market, height: 5, time_ms: 1 };
const snapshot = {
  type: "snapshot",
  ...head,
  data: { sequence: 3, bids: [["100", "1", 1]], asks: [], checksum, complete: true },
};
const update = (previous: number, sequence: number, sum = checksum) => ({
  type: "update",
  ...head,
  height: 6,
  data: { previous, sequence, bids: [], asks: [], checksum: sum },
});

const last = (): FakeSocket => FakeSocket.opened.at(-1) as FakeSocket;
const ops = (socket: FakeSocket): unknown[] => socket.sent.map(({ op }) => op);

describe("a market stream", () => {
  let stream: MarketStream;

  beforeEach(() => {
    vi.useFakeTimers();
    FakeSocket.opened = [];
    stream = new MarketStream(["http://a:1", "http://b:2"], { webSocket: FakeSocket });
  });

  afterEach(() => {
    stream.close();
    vi.useRealTimers();
  });

  it("asks for a snapshot and is ready when it has come", async () => {
    const { book, ready } = stream.book(market);
    expect(last().url).toBe("ws://a:1/stream");
    last().open();
    expect(last().sent).toEqual([{ op: "subscribe", id: 1, channel: "book", market }]);
    last().say({ ...snapshot, id: 1 });
    await ready;
    last().say(update(3, 4));
    expect([book.isCurrent, book.sequence, book.height]).toEqual([true, 4, 6]);
  });

  it("begins again after a gap, and after a wrong checksum", async () => {
    const followed = stream.book(market);
    last().open();
    last().say(snapshot);
    last().say(update(4, 5));
    expect(followed.book.isCurrent).toBe(false);
    expect(ops(last())).toEqual(["subscribe", "unsubscribe", "subscribe"]);
    // What was on its way is not taken for the truth.
    last().say(update(5, 6));
    last().say(snapshot);
    expect(followed.book.isCurrent).toBe(true);
    last().say(update(3, 4, checksum + 1));
    expect(followed.book.isCurrent).toBe(false);
    last().say(snapshot);
    expect([followed.book.isCurrent, followed.resyncs]).toEqual([true, 2]);
    expect(ops(last()).filter((op) => op === "unsubscribe")).toHaveLength(2);
  });

  it("opens the next endpoint when a connection is lost or silent, and follows everything again", () => {
    const messages: unknown[] = [];
    stream.trades(market, (message) => messages.push(message));
    const { book } = stream.book(market);
    last().open();
    last().say(snapshot);
    last().close();
    expect(book.isCurrent).toBe(false);
    vi.advanceTimersByTime(10_000);
    expect(last().url).toBe("ws://b:2/stream");
    last().open();
    expect(ops(last())).toEqual(["subscribe", "subscribe"]);
    last().say({ ...snapshot, type: "heartbeat" });
    vi.advanceTimersByTime(STREAM_SILENCE_MS + 10_000);
    expect(last().url).toBe("ws://a:1/stream");
    expect(messages).toEqual([]);
  });

  it("rejects what the node refuses, waits where it is busy, and says what has ended", async () => {
    const ended: string[] = [];
    const more = { onEnded: (reason: string) => void ended.push(reason) };
    const refused = stream.follow({ channel: "trades", market: "NONE" }, () => undefined, more);
    const busy = stream.marks(market, () => undefined);
    const gone = stream.follow({ channel: "trades", market }, () => undefined, more);
    last().open();
    last().say({ type: "error", id: 1, code: "unknown-market", message: "no market" });
    await expect(refused.ready).rejects.toThrow("unknown-market: no market");
    last().say({ type: "error", id: 2, code: "busy", message: "starting" });
    vi.advanceTimersByTime(1_000);
    expect(last().sent.at(-1)).toMatchObject({ op: "subscribe", channel: "marks", market });
    last().say({ type: "snapshot", channel: "marks", market, height: 1, time_ms: 1, data: {} });
    await busy.ready;
    last().say({ type: "ended", channel: "trades", market, height: 9, reason: "market-removed" });
    expect(ended).toEqual(["unknown-market: no market", "market-removed"]);
    gone.stop();
    expect(ops(last()).filter((op) => op === "unsubscribe")).toEqual([]);
  });

  it("takes no message it does not understand for one it does", () => {
    const { book } = stream.book(market);
    last().open();
    last().say(snapshot);
    for (const text of ["", "[]", "null", "1", "{}", '{"type":"update"}', '{"type":"snapshot"}'])
      last().onmessage?.({ data: text } as never);
    expect([book.isCurrent, book.sequence]).toEqual([true, 3]);
  });
});

import { createAddresses } from "@keel/modules/kit/addresses";
import { beforeEach, describe, expect, it } from "vitest";
import { StreamHub, type TopicSource } from "./hub.ts";
import {
  MESSAGES_BURST_MAX,
  SLOW_BYTES,
  SLOW_MS_MAX,
  SNAPSHOTS_IN_FLIGHT_MAX,
  SUBSCRIPTIONS_PER_CLIENT_MAX,
} from "./limits.ts";
import { type CloseReason, StreamSession } from "./session.ts";
import { StreamRefusal, type Topic } from "./topics.ts";

const addresses = createAddresses("keel");
const account = `${addresses.format(new Uint8Array(20).fill(3))}/0`;

/** Snapshots when told to; knows one market. */
class FakeSource implements TopicSource {
  height = 10;
  readonly followed: string[] = [];
  readonly unfollowed: string[] = [];
  held: (() => void)[] | null = null;

  async follow(topic: Topic) {
    if (this.held !== null) await new Promise<void>((resolve) => this.held?.push(resolve));
    if ("market" in topic && topic.market === "NONE")
      throw new StreamRefusal("unknown-market", 'no market "NONE"');
    this.followed.push(topic.key);
    return { height: this.height, tail: `,"channel":"${topic.channel}","height":${this.height}}` };
  }

  unfollow({ key }: Topic): void {
    this.unfollowed.push(key);
  }
}

class Client {
  readonly received: Record<string, unknown>[] = [];
  closed: CloseReason | null = null;
  buffered = 0;
  nowMs = 0;
  readonly session: StreamSession;

  constructor(hub: StreamHub) {
    this.session = new StreamSession({
      hub,
      addresses,
      nowMs: () => this.nowMs,
      line: {
        send: (text) => void this.received.push(JSON.parse(text)),
        buffered: () => this.buffered,
        close: (reason) => {
          this.closed = reason;
        },
      },
    });
  }

  say(message: unknown): void {
    this.session.receive(typeof message === "string" ? message : JSON.stringify(message));
  }

  take(): Record<string, unknown>[] {
    return this.received.splice(0);
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const book = (market = "BTC-PERP") => ({ op: "subscribe", channel: "book", market });
const news = (height: number, key = "book:BTC-PERP") => ({
  height,
  timeMs: height,
  texts: [[key, `{"type":"update","height":${height}}`] as const],
  ended: [],
});

let hub: StreamHub;
let source: FakeSource;
let client: Client;

beforeEach(() => {
  hub = new StreamHub();
  source = new FakeSource();
  hub.setSource(source);
  client = new Client(hub);
});

describe("a session", () => {
  it("answers a subscription with a snapshot, and then gives what is above it", async () => {
    client.say({ ...book(), id: "a" });
    hub.publish(news(10));
    await settled();
    hub.publish(news(10));
    hub.publish(news(11));
    hub.publish(news(12, "book:OTHER"));
    expect(client.take()).toEqual([
      { type: "snapshot", id: "a", channel: "book", height: 10 },
      { type: "update", height: 11 },
    ]);
    client.say({ ...book(), op: "unsubscribe", id: 7 });
    hub.publish(news(12));
    expect(client.take()).toEqual([
      { type: "unsubscribed", id: 7, channel: "book", market: "BTC-PERP" },
    ]);
    expect(source.unfollowed).toEqual(["book:BTC-PERP"]);
    expect(hub.topics).toBe(0);
  });

  it.each<[string, unknown, string]>([
    ["nothing", "", "bad-message"],
    ["half of an object", '{"op":', "bad-message"],
    ["a list", "[]", "bad-message"],
    ["a text", '"subscribe"', "bad-message"],
    ["depth", `${"[".repeat(900)}${"]".repeat(900)}`, "bad-message"],
    ["no operation", {}, "bad-request"],
    ["an operation that is none", { op: "constructor" }, "bad-request"],
    ["an operation that is an object", { op: { toString: 1 } }, "bad-request"],
    ["an id that is an object", { op: "ping", id: {} }, "bad-request"],
    ["an id that is long", { op: "ping", id: "x".repeat(65) }, "bad-request"],
    ["a channel that is none", { op: "subscribe", channel: "__proto__" }, "unknown-channel"],
    ["no channel", { op: "subscribe" }, "unknown-channel"],
    ["no market", { op: "subscribe", channel: "book" }, "bad-request"],
    [
      "a market that is a list",
      { op: "subscribe", channel: "book", market: ["BTC"] },
      "bad-request",
    ],
    ["a market with a line break", book("A\nB"), "bad-request"],
    ["a market beyond ASCII", book("BTC\u00e9"), "bad-request"],
    ["a long market", book("x".repeat(33)), "bad-request"],
    ["no resolution", { ...book(), channel: "candles" }, "bad-request"],
    [
      "a resolution of all objects",
      { ...book(), channel: "candles", resolution: "toString" },
      "bad-request",
    ],
    ["no account", { op: "subscribe", channel: "orders" }, "bad-request"],
    [
      "an account of another chain",
      { op: "subscribe", channel: "fills", account: "cosmos1qqq/0" },
      "bad-request",
    ],
    [
      "a sub-account out of range",
      { op: "subscribe", channel: "fills", account: account.replace("/0", "/4294967296") },
      "bad-request",
    ],
    [
      "a sub-account not as it is written",
      { op: "subscribe", channel: "fills", account: account.replace("/0", "/00") },
      "bad-request",
    ],
    ["what is not followed", { ...book(), op: "unsubscribe" }, "not-subscribed"],
  ])("refuses %s with one code, and goes on", (_name, message, code) => {
    client.say(message);
    expect(client.take()).toMatchObject([{ type: "error", code }]);
    expect([client.closed, hub.topics]).toEqual([null, 0]);
    client.say({ op: "ping" });
    expect(client.take()).toEqual([{ type: "pong" }]);
  });

  it("leaves nothing followed when it asks and takes back in one breath", async () => {
    const source = new FakeSource();
    source.held = [];
    const hub = new StreamHub();
    hub.setSource(source);
    const client = new Client(hub);
    client.say(book());
    client.say({ ...book(), op: "unsubscribe" });
    for (const release of source.held) release();
    await settled();
    // Said once too early, and once when it had begun.
    expect(source.followed).toEqual(["book:BTC-PERP"]);
    expect(source.unfollowed.at(-1)).toBe("book:BTC-PERP");
    expect(source.unfollowed).toHaveLength(2);
  });

  it("may ask for nothing more while it is behind", () => {
    const hub = new StreamHub();
    hub.setSource(new FakeSource());
    const client = new Client(hub);
    client.buffered = SLOW_BYTES + 1;
    client.say(book());
    expect(client.take()).toEqual([expect.objectContaining({ type: "error", code: "busy" })]);
    expect(hub.topics).toBe(0);
  });

  it("refuses a market that the reader does not know, and forgets it", async () => {
    client.say({ ...book("NONE"), id: 1 });
    await settled();
    expect(client.take()).toMatchObject([{ type: "error", id: 1, code: "unknown-market" }]);
    expect(hub.topics).toBe(0);
  });

  it("takes one account however its sub-account 0 is named, once", async () => {
    client.say({ op: "subscribe", channel: "orders", account });
    client.say({ op: "subscribe", channel: "orders", account: account.slice(0, -2), id: 2 });
    await settled();
    expect(source.followed).toEqual([`orders:${account}`]);
    expect(client.take()).toMatchObject([
      { type: "error", id: 2, code: "already-subscribed" },
      { type: "snapshot" },
    ]);
  });

  it("follows at most so many topics, with so many snapshots on their way", async () => {
    source.held = [];
    for (let i = 0; i <= SNAPSHOTS_IN_FLIGHT_MAX; i++) client.say(book(`M${i}`));
    expect(client.take()).toMatchObject([{ type: "error", code: "busy" }]);
    for (const release of source.held.splice(0)) release();
    source.held = null;
    await settled();
    client.nowMs = 1e9;
    for (let i = SNAPSHOTS_IN_FLIGHT_MAX; i < SUBSCRIPTIONS_PER_CLIENT_MAX; i++) {
      client.say(book(`M${i}`));
      await settled();
    }
    client.take();
    client.say(book("ONE-MORE"));
    expect(client.take()).toMatchObject([{ type: "error", code: "too-many-subscriptions" }]);
    client.session.leave();
    expect(hub.topics).toBe(0);
    expect(source.unfollowed).toHaveLength(SUBSCRIPTIONS_PER_CLIENT_MAX);
  });

  it("finds room for its topics however many made-up ones others follow", async () => {
    const topics = { channel: "fills", op: "subscribe" };
    for (let n = 0; n < 40; n++) {
      const other = new Client(hub);
      for (let i = 0; i < SUBSCRIPTIONS_PER_CLIENT_MAX; i++) {
        other.say({ ...topics, account: account.replace("/0", `/${n * 100 + i}`) });
        if (i % SNAPSHOTS_IN_FLIGHT_MAX === 0) await settled();
      }
    }
    expect(hub.topics).toBeGreaterThanOrEqual(3_600);
    client.say(book());
    await settled();
    expect(client.take()).toMatchObject([{ type: "snapshot", channel: "book" }]);
  });

  it("is closed when it talks too much", () => {
    for (let i = 0; i < MESSAGES_BURST_MAX; i++) client.say({ op: "ping" });
    expect(client.closed).toBeNull();
    client.say({ op: "ping" });
    expect(client.closed).toBe("too-many-messages");
  });

  it("gets nothing while it is behind, then a snapshot that says why, and is closed if it stays so", async () => {
    client.say(book());
    await settled();
    client.take();
    client.buffered = SLOW_BYTES + 1;
    hub.publish(news(11));
    hub.publish(news(12));
    expect(client.take()).toEqual([]);
    client.buffered = 0;
    source.height = 13;
    hub.publish(news(13));
    await settled();
    hub.publish(news(14));
    expect(client.take()).toEqual([
      { type: "snapshot", reason: "slow", channel: "book", height: 13 },
      { type: "update", height: 14 },
    ]);
    client.buffered = SLOW_BYTES + 1;
    client.session.heartbeat(14, 1);
    client.nowMs = SLOW_MS_MAX + 1;
    expect(client.closed).toBeNull();
    client.session.heartbeat(14, 1);
    expect([client.closed, client.take()]).toEqual(["slow-consumer", []]);
  });

  it("is not kept waiting by another that is behind", async () => {
    const other = new Client(hub);
    client.say(book());
    other.say(book());
    await settled();
    client.buffered = SLOW_BYTES + 1;
    hub.publish(news(11));
    expect(other.take().at(-1)).toEqual({ type: "update", height: 11 });
    expect(source.unfollowed).toEqual([]);
    client.session.leave();
    other.session.leave();
    expect(source.unfollowed).toEqual(["book:BTC-PERP"]);
  });

  it("hears of a market's end, and that nothing can be followed while there is no reader", async () => {
    client.say(book());
    await settled();
    client.take();
    hub.publish({ height: 11, timeMs: 1, texts: [], ended: ["book:BTC-PERP"] });
    expect(client.take()).toEqual([
      { type: "ended", channel: "book", market: "BTC-PERP", height: 11, reason: "market-removed" },
    ]);
    hub.setSource(null);
    client.say(book());
    expect(client.take()).toMatchObject([{ type: "error", code: "busy" }]);
  });
});

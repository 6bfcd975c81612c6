import { StreamState, YamuxStream } from "@libp2p/yamux/stream";
import { describe, expect, it } from "vitest";
import { joinWrites, sendWhole, updateWindowSeldom, type WritableStream } from "./libp2p-writes.ts";
import { joinedWriteBytesMax, windowUpdateBytes } from "./limits.ts";

interface Recorder extends WritableStream {
  readonly writes: Uint8Array[];
  readonly log: string[];
}

function recorder(): Recorder {
  const writes: Uint8Array[] = [];
  const log: string[] = [];
  return {
    writes,
    log,
    writableNeedsDrain: false,
    send(data) {
      if (log.includes("closed")) throw new Error("closed");
      writes.push(data.subarray());
      return true;
    },
    close: async () => {
      log.push("closed");
    },
    abort(error) {
      log.push(`aborted: ${error.message}`);
    },
  };
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe("joined writes", () => {
  it("sends what one turn gives as one write, in order", async () => {
    const stream = recorder();
    joinWrites(stream);
    stream.send(bytes(1, 2));
    stream.send(bytes(3));
    expect(stream.writes).toEqual([]);
    await Promise.resolve();
    stream.send(bytes(4));
    await Promise.resolve();
    expect(stream.writes).toEqual([bytes(1, 2, 3), bytes(4)]);
  });

  it("does not collect more than a record holds", async () => {
    const stream = recorder();
    joinWrites(stream);
    stream.send(bytes(1));
    stream.send(new Uint8Array(joinedWriteBytesMax));
    expect(stream.writes.map(({ length }) => length)).toEqual([joinedWriteBytesMax + 1]);
    stream.send(bytes(2));
    await Promise.resolve();
    expect(stream.writes.at(-1)).toEqual(bytes(2));
    expect(stream.writes).toHaveLength(2);
  });

  it("says that the stream is full as soon as it is", () => {
    const stream = recorder();
    joinWrites(stream);
    expect(stream.send(bytes(1))).toBe(true);
    stream.writableNeedsDrain = true;
    expect(stream.send(bytes(2))).toBe(false);
  });

  it("sends what waits before it closes, and aborts instead of throwing into nowhere", async () => {
    const stream = recorder();
    joinWrites(stream);
    stream.send(bytes(1));
    await stream.close();
    expect(stream.writes).toEqual([bytes(1)]);
    stream.send(bytes(2));
    await Promise.resolve();
    expect(stream.log).toEqual(["closed", "aborted: closed"]);
  });

  it("makes one write of a message in pieces", () => {
    const stream = recorder();
    sendWhole(stream);
    const pieces = [bytes(1), bytes(2, 3)];
    const list = { byteLength: 3, subarray: () => bytes(...pieces.flatMap((one) => [...one])) };
    stream.send(list as unknown as Uint8Array);
    expect(stream.writes).toEqual([bytes(1, 2, 3)]);
  });
});

describe("a stream whose window is updated seldom", () => {
  function receiver() {
    const updates: number[] = [];
    const log = Object.assign(() => undefined, { trace: () => undefined, error: () => undefined });
    const stream = new YamuxStream({
      id: "1",
      streamId: 1,
      direction: "inbound",
      state: StreamState.Established,
      getRTT: () => -1,
      sendFrame: ({ length }: { readonly length: number }) => {
        updates.push(length);
        return true;
      },
      log,
    } as unknown as ConstructorParameters<typeof YamuxStream>[0]);
    stream.addEventListener("message", () => undefined);
    updateWindowSeldom(stream);
    const receive = (length: number): void =>
      stream.handleData({
        header: { type: 0, flag: 0, streamID: 1, length },
        data: new Uint8Array(length),
      } as unknown as Parameters<YamuxStream["handleData"]>[0]);
    return { stream, updates, receive };
  }

  it("gives back all that was used, at once, when it has become much", () => {
    const { updates, receive } = receiver();
    receive(1_000);
    receive(windowUpdateBytes - 1_001);
    expect(updates).toEqual([]);
    receive(1);
    expect(updates).toEqual([windowUpdateBytes]);
    receive(1);
    expect(updates).toHaveLength(1);
  });

  it("gives nothing back while paused, and all of it when resumed", () => {
    const { stream, updates, receive } = receiver();
    stream.pause();
    receive(windowUpdateBytes);
    receive(windowUpdateBytes);
    expect(updates).toEqual([]);
    stream.resume();
    expect(updates).toEqual([2 * windowUpdateBytes]);
  });
});

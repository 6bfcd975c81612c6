import { describe, expect, it } from "vitest";
import { zeroBlockId } from "../wire/block-id.ts";
import type { GossipMessage } from "./gossip.ts";
import { createInbox } from "./inbox.ts";

const none = new Uint8Array(0);

function part(bytes: number): GossipMessage {
  const proof = { total: 1, index: 0, leafHash: none, aunts: [] };
  return {
    type: "part",
    height: 1,
    round: 0,
    part: { index: 0, bytes: new Uint8Array(bytes), proof },
  };
}

function commit(): GossipMessage {
  return {
    type: "commit",
    commit: { height: 1, round: 0, blockId: zeroBlockId, extendedSignatures: [] },
  };
}

describe("the inbox", () => {
  it("holds so many messages and so many bytes, and makes room when they are taken", () => {
    const inbox = createInbox({ messagesMax: 3, bytesMax: 100_000, perPeerMax: 10 });
    expect(inbox.add({ peer: "a", message: part(60_000) })).toBe(true);
    expect(inbox.add({ peer: "a", message: part(60_000) })).toBe(false);
    expect(inbox.add({ peer: "a", message: commit() })).toBe(true);
    expect(inbox.add({ peer: "b", message: commit() })).toBe(true);
    expect(inbox.add({ peer: "c", message: commit() })).toBe(false);
    expect(inbox.take(1).length).toBe(1);
    expect(inbox.add({ peer: "a", message: part(60_000) })).toBe(true);
    expect(inbox.take(10).map(({ message }) => message.type)).toEqual(["commit", "commit", "part"]);
    expect(inbox.size).toBe(0);
  });

  it("gives one peer its share and no more", () => {
    const inbox = createInbox({ messagesMax: 100, bytesMax: 1_000_000, perPeerMax: 2 });
    const added = ["a", "a", "a", "b"].map((peer) => inbox.add({ peer, message: commit() }));
    expect(added).toEqual([true, true, false, true]);
    inbox.take(100);
    expect(inbox.add({ peer: "a", message: commit() })).toBe(true);
  });
});

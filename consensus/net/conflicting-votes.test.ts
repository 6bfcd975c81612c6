/** An equivocator shows each side its own vote; the quorum that rests on one of them must still reach everybody. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { zeroBlockId } from "../wire/block-id.ts";
import { VirtualTime } from "./test-support.ts";
import { type FakeNode, line, startNodes, voteOf } from "./testing/consensus-nodes.ts";

let time: VirtualTime;
let stops: (() => void)[] = [];
beforeEach(() => {
  time = new VirtualTime();
});
afterEach(() => {
  for (const stop of stops) stop();
  stops = [];
});

describe("conflicting votes", () => {
  it("brings an equivocator's other vote to those who hold its first, when a quorum rests on it", async () => {
    // A line, so that what the middle shows to one end it has from the other.
    const { nodes } = await startNodes(time, stops, [5, 5, 5], { linked: line });
    const [first, , last] = nodes as [FakeNode, FakeNode, FakeNode];
    last.addVote(voteOf(5, 3, "prevote", 0, zeroBlockId));
    await time.until(
      "the vote for nil everywhere",
      () => nodes.every((node) => node.votesHeld === 1),
      1_000,
    );
    for (const i of [0, 1, 3]) first.addVote(voteOf(5, i));
    await time.until(
      "the polka everywhere",
      () => nodes.every((node) => node.votes.quorumBits(0, "prevote") !== null),
      3_000,
    );
    await time.pass(2_000);
    const sent = last.received.length;
    await time.pass(2_000);
    expect(last.received.length).toBe(sent);
  });

  it("sends a peer the other votes anew when those it sent were dropped", async () => {
    const { nodes } = await startNodes(time, stops, [5, 5]);
    const [first, other] = nodes as [FakeNode, FakeNode];
    other.addVote(voteOf(5, 3, "prevote", 0, zeroBlockId));
    await time.pass(50);
    const add = other.addVote.bind(other);
    let dropped = 0;
    // As the core does with a conflicting vote that comes before its backing.
    other.addVote = (vote, from) => {
      if (vote.validatorIndex === 3 && dropped++ < 2) return;
      add(vote, from);
    };
    for (const i of [0, 1, 3]) first.addVote(voteOf(5, i));
    await time.until("the polka", () => other.votes.quorumBits(0, "prevote") !== null, 3_000);
    expect(dropped).toBe(3);
  });
});

/** The reactor over the in-memory hub, between nodes whose round state is a plain record: what one holds, all must come to hold. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { splitIntoParts } from "../wire/part-set.ts";
import type { MemoryHubOptions } from "./memory-transport.ts";
import { encodeConsensusMessage, type RoundStatus } from "./messages.ts";
import { VirtualTime } from "./test-support.ts";
import {
  blockBytes,
  type FakeNode,
  fill,
  line,
  proposalOf,
  startNodes,
  voteOf,
} from "./testing/consensus-nodes.ts";

let time: VirtualTime;
let stops: (() => void)[] = [];
beforeEach(() => {
  time = new VirtualTime();
});
afterEach(() => {
  for (const stop of stops) stop();
  stops = [];
});

const start = (
  heights: readonly number[],
  options: Partial<MemoryHubOptions> = {},
): ReturnType<typeof startNodes> => startNodes(time, stops, heights, options);

describe("consensus reactor", () => {
  it("brings an own message to everybody at once, and nobody passes it on in a full mesh", async () => {
    const { nodes } = await start([5, 5, 5, 5]);
    await time.pass(50);
    for (const [i, node] of nodes.entries()) node.addVote(voteOf(5, i));
    await time.until("all votes everywhere", () => nodes.every((node) => node.votesHeld === 4), 60);
    await time.pass(300);
    for (const node of nodes)
      expect(node.received.filter((message) => message.type === "vote").length).toBe(3);
  });

  it("relays along a line of nodes", async () => {
    const { nodes } = await start([5, 5, 5, 5], { linked: line });
    const [first, , , last] = nodes as [FakeNode, FakeNode, FakeNode, FakeNode];
    first.addProposal(proposalOf(5));
    for (const part of splitIntoParts(blockBytes(5)).parts) first.addPart(part);
    for (const [i, node] of nodes.entries()) node.addVote(voteOf(5, i));
    const complete = (node: FakeNode): boolean =>
      node.proposal !== null && node.parts.size === 4 && node.votesHeld === 4;
    await time.until("everything at both ends", () => nodes.every(complete), 2_000);
    expect(last.received.length).toBeLessThan(30);
  });

  it("repairs the loss of half of all frames", async () => {
    let seed = 7;
    const random = (): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed / 2 ** 32;
    };
    const { nodes } = await start([5, 5, 5, 5], { dropPpm: 500_000, random });
    nodes[0]?.addProposal(proposalOf(5));
    for (const part of splitIntoParts(blockBytes(5)).parts) nodes[0]?.addPart(part);
    nodes.forEach((node, i) => {
      node.addVote(voteOf(5, i));
      node.addVote(voteOf(5, i, "precommit"));
    });
    const complete = (node: FakeNode): boolean =>
      node.proposal !== null && node.parts.size === 4 && node.votesHeld === 8;
    await time.until("everything everywhere", () => nodes.every(complete), 5_000);
  });

  it("goes on after a partition heals", async () => {
    const { hub, nodes } = await start([5, 5]);
    hub.partition([["n0"], ["n1"]]);
    for (const [i, node] of nodes.entries()) node.addVote(voteOf(5, i));
    await time.pass(100);
    expect(nodes.map((node) => node.votesHeld)).toEqual([1, 1]);
    hub.heal();
    await time.until("both votes", () => nodes.every((node) => node.votesHeld === 2), 2_000);
  });

  it("feeds a node that is heights behind with commits and blocks until it has caught up", async () => {
    const { nodes } = await start([20, 20, 3]);
    const late = nodes[2] as FakeNode;
    await time.until("caught up", () => late.height === 20, 5_000);
    const commits = late.received.filter((message) => message.type === "commit");
    const parts = late.received.filter((message) => message.type === "part");
    // Two helpers: some doubling is the price of not coordinating, a multiple of it would be a fault.
    expect(commits.length).toBeLessThanOrEqual(2 * 17);
    expect(parts.length).toBeLessThanOrEqual(2 * 17 * 4);
  });

  it("gives a straggler the votes of the round it missed", async () => {
    const { nodes } = await start([5, 5]);
    const [ahead, behind] = nodes as [FakeNode, FakeNode];
    ahead.round = 4;
    for (const i of [0, 1, 2]) ahead.votes.add(voteOf(5, i, "prevote", 4), 4);
    ahead.reactor.stepChanged(ahead.view);
    await time.until("the votes of round 4", () => behind.votesHeld === 3, 1_000);
  });

  it("ignores messages of far heights and does nothing before it is started", async () => {
    const { hub, nodes } = await start([5]);
    const node = nodes[0] as FakeNode;
    const stranger = hub.create("x");
    await stranger.start();
    stops.push(() => void stranger.stop());
    for (const height of [3, 7, 1000]) {
      stranger.send(
        "n0",
        "consensus",
        encodeConsensusMessage({ type: "vote", vote: voteOf(height, 0) }),
      );
    }
    stranger.send("n0", "consensus", encodeConsensusMessage({ type: "vote", vote: voteOf(6, 0) }));
    await time.pass(30);
    expect(node.received.length).toBe(1);
    node.reactor.stop();
    stranger.send("n0", "consensus", encodeConsensusMessage({ type: "vote", vote: voteOf(5, 0) }));
    await time.pass(30);
    expect(node.received.length).toBe(1);
  });

  it("disconnects a peer that sends garbage or impossible bit arrays, and survives both", async () => {
    const { hub, nodes } = await start([5]);
    const lie: RoundStatus = {
      type: "status",
      height: 5,
      round: 0,
      step: "prevote",
      hasProposal: false,
      parts: null,
      commitRound: -1,
      votes: [
        { round: 0, kind: "prevote", hasQuorum: false, bits: new Array<boolean>(9000).fill(true) },
      ],
      lastCommitRound: -1,
      lastPrecommits: [],
    };
    for (const bytes of [fill(100, 0xff), encodeConsensusMessage(lie)]) {
      const stranger = hub.create(`x${bytes.length}`);
      await stranger.start();
      stops.push(() => void stranger.stop());
      for (let i = 0; i < 10; i++) stranger.send("n0", "consensus", bytes);
      const isLinked = (): boolean =>
        nodes[0]?.transport.peers().some((peer) => peer.id === stranger.self) === true;
      expect(isLinked()).toBe(true);
      await time.until("the ban", () => !isLinked(), 1_000);
    }
    expect(nodes[0]?.received).toEqual([]);
  });

  it("sends a peer that pretends to lag a bounded amount", async () => {
    const { hub } = await start([20]);
    const liar = hub.create("x");
    let bytes = 0;
    liar.onMessage("consensus", (_, message) => {
      bytes += message.length;
    });
    await liar.start();
    stops.push(() => void liar.stop());
    const status: RoundStatus = {
      type: "status",
      height: 3,
      round: 0,
      step: "propose",
      hasProposal: false,
      parts: null,
      commitRound: -1,
      votes: [],
      lastCommitRound: -1,
      lastPrecommits: [],
    };
    for (let i = 0; i < 400; i++) {
      liar.send("n0", "consensus", encodeConsensusMessage({ ...status, round: i }));
      if (i % 40 === 0) await time.pass(10);
    }
    await time.pass(50);
    // The block once, not four hundred times.
    expect(bytes).toBeGreaterThan(200_000);
    expect(bytes).toBeLessThan(400_000);
  });
});

/**
 * What one peer lacks of what we hold, by its last status, and sending it: bounded per call, nothing sent twice within the resend
 * time, and other validators' messages only after those who made them had the time to send them themselves.
 */
import { equalBytes } from "@keel/proto/bytes/compare";
import type { Height, Round } from "../core/types.ts";
import type { GossipMessage, RoundStateView, WireVote } from "../host/gossip.ts";
import type { PeerId } from "../host/ports.ts";
import { blockIdToCore } from "../wire/block-id.ts";
import type { PartSetHeader } from "../wire/types.ts";
import { partsPerTickMax, relayDelayMs, resendMs, votesPerTickMax } from "./limits.ts";
import type { RoundStatus } from "./messages.ts";
import { lackedVotes, relevantSets } from "./round-status.ts";
import type { ServedBlock } from "./stored-blocks.ts";

export const proposalKey = (round: Round): string => `proposal/${round}`;
/** Asked of the same objects at every tick for every peer. */
const voteKeys = new WeakMap<WireVote, string>();

/** Names the value too: a peer that has shown us one vote of an equivocator may lack the other. */
export function voteKey(vote: WireVote): string {
  let key = voteKeys.get(vote);
  if (key === undefined) {
    const { round, type, validatorIndex, blockId } = vote;
    key = `${type}/${round}/${validatorIndex}/${blockIdToCore(blockId) ?? "nil"}`;
    voteKeys.set(vote, key);
  }
  return key;
}

export const lastPrecommitKey = (index: number): string => `last/${index}`;
/** By index only: a round rarely has two part sets, and then the resend time sorts it out. */
export const partKey = (height: Height, index: number): string => `part/${height}/${index}`;

export class ConsensusPeer {
  readonly id: PeerId;
  status: RoundStatus | null = null;
  /** When it came. */
  statusMs: number = Number.NEGATIVE_INFINITY;
  /** Since when the peer's height has been below ours; null when it is not. */
  behindSinceMs: number | null = null;
  lastServedMs: number = Number.NEGATIVE_INFINITY;
  readonly #send: (message: GossipMessage) => boolean;
  /**
   * When a message last passed between us, either way. Only the peer's status says for good that it has it: what it sent us it may
   * have lost since, and what we sent it may have been dropped.
   */
  readonly #sentMs = new Map<string, number>();

  constructor(id: PeerId, send: (message: GossipMessage) => boolean) {
    this.id = id;
    this.#send = send;
  }

  /** Sent by us, or by the peer to us. */
  markSent(key: string, nowMs: number): void {
    this.#sentMs.set(key, nowMs);
  }

  /** A new height: the keys name messages of the old one. */
  forgetMarks(): void {
    this.#sentMs.clear();
  }

  /** Keeps `behindSinceMs` in step with both heights. */
  compareHeight(ours: Height, nowMs: number): void {
    if (this.status === null || this.status.height >= ours) this.behindSinceMs = null;
    else this.behindSinceMs ??= nowMs;
  }

  /** Sends what a peer at our height lacks. */
  serve(view: RoundStateView, learnedMs: ReadonlyMap<string, number>, nowMs: number): void {
    const status = this.status;
    if (status === null || status.height !== view.height) return;
    const due = (key: string): boolean => {
      const learned = learnedMs.get(key);
      return this.#isDue(key) && (learned === undefined || nowMs - learned >= relayDelayMs);
    };
    // Parts are large, and a peer says what it lacks of them as soon as it knows the proposal: only what it says after the maker has
    // had the time to send them counts. A peer too busy to say anything is too busy to read them twice.
    const partDue = (key: string): boolean => {
      const learned = learnedMs.get(key);
      return this.#isDue(key) && (learned === undefined || this.statusMs - learned >= relayDelayMs);
    };
    const proposal = view.proposal(status.round);
    if (!status.hasProposal && proposal !== null && due(proposalKey(status.round))) {
      if (!this.#sendNow(proposalKey(status.round), { type: "proposal", proposal }, nowMs)) return;
    }
    this.#serveVotes(view, status, due, nowMs);
    this.#serveParts(view, status, partDue, nowMs);
  }

  /** Feeds a peer on a lower height with that height's commit and block. */
  serveStored(block: ServedBlock, nowMs: number): void {
    const status = this.status;
    if (status === null || status.height !== block.height) return;
    const { commit, height } = block;
    const commitKey = `commit/${height}`;
    if (status.commitRound < 0 && this.#isDue(commitKey)) {
      if (!this.#sendNow(commitKey, { type: "commit", commit }, nowMs)) return;
    }
    const held =
      status.parts !== null && sameHeader(status.parts.header, block.header)
        ? status.parts.bits
        : [];
    let left = partsPerTickMax;
    for (const part of block.parts) {
      const key = partKey(height, part.index);
      if (held[part.index] === true || !this.#isDue(key)) continue;
      if (
        left-- === 0 ||
        !this.#sendNow(key, { type: "part", height, round: commit.round, part }, nowMs)
      )
        return;
    }
  }

  #serveVotes(
    view: RoundStateView,
    status: RoundStatus,
    due: (key: string) => boolean,
    nowMs: number,
  ): void {
    let left = votesPerTickMax;
    for (const { round, kind } of relevantSets(view, status.round)) {
      for (const [index, isLacked] of lackedVotes(view, status, { round, kind }).entries()) {
        const vote = isLacked ? view.vote(round, kind, index) : null;
        if (vote === null || !due(voteKey(vote))) continue;
        if (left-- === 0 || !this.#sendNow(voteKey(vote), { type: "vote", vote }, nowMs)) return;
      }
    }
    if (status.lastCommitRound !== view.lastCommitRound || status.step !== "newHeight") return;
    const ours = view.lastPrecommitBits();
    for (let index = 0; index < ours.length; index++) {
      if (ours[index] !== true || status.lastPrecommits[index] === true) continue;
      const key = lastPrecommitKey(index);
      const vote = due(key) ? view.lastPrecommit(index) : null;
      if (vote === null) continue;
      if (left-- === 0 || !this.#sendNow(key, { type: "vote", vote }, nowMs)) return;
    }
  }

  #serveParts(
    view: RoundStateView,
    status: RoundStatus,
    due: (key: string) => boolean,
    nowMs: number,
  ): void {
    if (status.parts === null) return;
    const { header, bits } = status.parts;
    const ours = view.partBits(header);
    const round = status.commitRound >= 0 ? status.commitRound : status.round;
    let left = partsPerTickMax;
    // Starting at a place of its own for every peer, so that several servers do not send the same parts.
    const start = Math.floor(nowMs) % Math.max(1, ours.length);
    for (let i = 0; i < ours.length; i++) {
      const index = (start + i) % ours.length;
      if (ours[index] !== true || bits[index] === true) continue;
      const key = partKey(view.height, index);
      const part = due(key) ? view.part(header, index) : null;
      if (part === null) continue;
      if (
        left-- === 0 ||
        !this.#sendNow(key, { type: "part", height: view.height, round, part }, nowMs)
      )
        return;
    }
  }

  /** Never passed between us, or long enough before the peer's newest status, which lacks it. */
  #isDue(key: string): boolean {
    const sent = this.#sentMs.get(key);
    return sent === undefined || this.statusMs - sent >= resendMs;
  }

  #sendNow(key: string, message: GossipMessage, nowMs: number): boolean {
    if (!this.#send(message)) return false;
    this.#sentMs.set(key, nowMs);
    return true;
  }
}

function sameHeader(a: PartSetHeader, b: PartSetHeader): boolean {
  return a.total === b.total && equalBytes(a.hash, b.hash);
}

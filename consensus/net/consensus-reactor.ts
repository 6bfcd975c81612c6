/**
 * Carries consensus between the driver and the peers. Our own messages go to everybody at once; for the rest each node tells
 * where it stands, and a peer is sent what its status lacks. That repairs losses, serves topologies that are not a full mesh,
 * and feeds nodes that are heights behind, all by the same rule.
 */
import type { Height, Round } from "../core/types.ts";
import type {
  ConsensusPort,
  Gossip,
  GossipMessage,
  RoundStateView,
  WireProposal,
  WireVote,
} from "../host/gossip.ts";
import type { Clock, PeerId, Transport } from "../host/ports.ts";
import type { Part } from "../wire/types.ts";
import {
  ConsensusPeer,
  lastPrecommitKey,
  partKey,
  proposalKey,
  voteKey,
} from "./consensus-peer.ts";
import { type NetLog, silentLog } from "./handlers.ts";
import {
  catchUpAfterMs,
  catchUpGapMs,
  gossipTickMs,
  statusGapMs,
  statusHeartbeatMs,
} from "./limits.ts";
import { decodeConsensusMessage, encodeConsensusMessage, type RoundStatus } from "./messages.ts";
import { buildStatus, statusProblem } from "./round-status.ts";
import { StoredBlocks } from "./stored-blocks.ts";

export interface ConsensusReactorOptions {
  readonly transport: Transport;
  readonly clock: Pick<Clock, "monotonicMs" | "startTimer">;
  readonly log?: NetLog;
}

export class ConsensusReactor implements Gossip {
  readonly #transport: Transport;
  readonly #clock: Pick<Clock, "monotonicMs" | "startTimer">;
  readonly #log: NetLog;
  readonly #peers = new Map<PeerId, ConsensusPeer>();
  /** When a message of the current height made by somebody else was learnt. */
  readonly #learnedMs = new Map<string, number>();
  #port: ConsensusPort | null = null;
  #stored: StoredBlocks | null = null;
  #height: Height = 0;
  #dirty = false;
  #statusSentMs = Number.NEGATIVE_INFINITY;
  #tick: { cancel(): void } | null = null;
  #statusTimer: { cancel(): void } | null = null;

  /** Listens at once but stays silent, and ignores what peers say, until `start`. */
  constructor(options: ConsensusReactorOptions) {
    this.#transport = options.transport;
    this.#clock = options.clock;
    this.#log = options.log ?? silentLog;
    options.transport.onMessage("consensus", (peer, bytes) => this.#onMessage(peer, bytes));
    options.transport.onPeer((peer, change) => this.#onPeer(peer, change));
    for (const { id } of options.transport.peers()) this.#onPeer(id, "up");
  }

  /** The driver runs from here on; call it with (or just before) the driver's own start. */
  start(port: ConsensusPort): void {
    if (this.#port !== null) throw new Error("consensus reactor: already started");
    this.#port = port;
    this.#stored = new StoredBlocks(port.blockStore, (height, error) =>
      this.#log.error("stored block could not be read", { height, reason: String(error) }),
    );
    this.#dirty = true;
    this.#tick = this.#clock.startTimer(0, () => this.#onTick());
  }

  stop(): void {
    this.#tick?.cancel();
    this.#statusTimer?.cancel();
    this.#tick = null;
    this.#statusTimer = null;
    this.#port = null;
  }

  // ---------------------------------------------------------------- from the driver

  proposal(proposal: WireProposal, from: PeerId | null): void {
    this.#accepted(
      proposalKey(proposal.round),
      proposal.height,
      { type: "proposal", proposal },
      from,
    );
  }

  part(height: Height, round: Round, part: Part, from: PeerId | null): void {
    this.#accepted(
      partKey(height, part.index),
      height,
      { type: "part", height, round, part },
      from,
    );
  }

  vote(vote: WireVote, from: PeerId | null): void {
    const view = this.#port?.roundState();
    const isLate = view !== undefined && vote.height === view.height - 1;
    const key = isLate ? lastPrecommitKey(vote.validatorIndex) : voteKey(vote);
    this.#accepted(key, vote.height, { type: "vote", vote }, from);
  }

  stepChanged(view: RoundStateView): void {
    this.#dirty = true;
    if (view.height !== this.#height) {
      this.#height = view.height;
      // Who feeds us goes on to the next height when it hears of this; the steps within a height can wait for the tick.
      this.#sendStatusSoon();
      this.#learnedMs.clear();
      const nowMs = this.#clock.monotonicMs();
      for (const peer of this.#peers.values()) {
        peer.forgetMarks();
        peer.compareHeight(view.height, nowMs);
      }
    }
  }

  #accepted(key: string, height: Height, message: GossipMessage, from: PeerId | null): void {
    if (this.#port === null) return;
    const nowMs = this.#clock.monotonicMs();
    this.#dirty = true;
    if (from !== null) {
      if (!this.#learnedMs.has(key)) this.#learnedMs.set(key, nowMs);
      this.#peers.get(from)?.markSent(key, nowMs);
      return;
    }
    const bytes = encodeConsensusMessage(message);
    for (const peer of this.#peers.values()) {
      // A peer known to be heights behind can do nothing with it and is fed from the store.
      if (peer.status !== null && peer.status.height + 1 < height) continue;
      if (this.#transport.send(peer.id, "consensus", bytes)) peer.markSent(key, nowMs);
    }
  }

  // ---------------------------------------------------------------- from peers

  #onPeer(id: PeerId, change: "up" | "down"): void {
    if (change === "down") {
      this.#peers.delete(id);
      return;
    }
    this.#peers.set(
      id,
      new ConsensusPeer(id, (message) =>
        this.#transport.send(id, "consensus", encodeConsensusMessage(message)),
      ),
    );
    if (this.#port !== null) this.#transport.send(id, "consensus", this.#encodedStatus(this.#port));
  }

  #onMessage(id: PeerId, bytes: Uint8Array): void {
    const port = this.#port;
    const peer = this.#peers.get(id);
    if (port === null || peer === undefined) return;
    const message = decodeConsensusMessage(bytes);
    const view = port.roundState();
    if (message.type === "status") this.#onStatus(peer, message, port, view);
    else if (concerns(message, view.height)) port.receive(id, message);
  }

  #onStatus(
    peer: ConsensusPeer,
    status: RoundStatus,
    port: ConsensusPort,
    view: RoundStateView,
  ): void {
    const problem = statusProblem(status, view);
    if (problem !== null) {
      this.#transport.report(peer.id, problem, "major");
      return;
    }
    const nowMs = this.#clock.monotonicMs();
    if (peer.status?.height !== status.height) {
      peer.behindSinceMs = null;
      peer.forgetMarks();
    }
    peer.status = status;
    peer.statusMs = nowMs;
    peer.compareHeight(view.height, nowMs);
    // One height per round trip, not per tick; bounded, because a status costs its sender next to nothing.
    if (status.height < view.height && nowMs - peer.lastServedMs >= catchUpGapMs)
      this.#serve(peer, port, view, nowMs);
  }

  // ---------------------------------------------------------------- anti-entropy

  #onTick(): void {
    const port = this.#port;
    if (port === null) return;
    const nowMs = this.#clock.monotonicMs();
    const sinceStatusMs = nowMs - this.#statusSentMs;
    if (sinceStatusMs >= (this.#dirty ? statusGapMs : statusHeartbeatMs)) this.#sendStatusSoon();
    const view = port.roundState();
    for (const peer of this.#peers.values()) this.#serve(peer, port, view, nowMs);
    this.#tick = this.#clock.startTimer(gossipTickMs, () => this.#onTick());
  }

  #serve(peer: ConsensusPeer, port: ConsensusPort, view: RoundStateView, nowMs: number): void {
    const { status } = peer;
    if (status === null || status.height > view.height) return;
    peer.lastServedMs = nowMs;
    if (status.height === view.height) {
      peer.serve(view, this.#learnedMs, nowMs);
      return;
    }
    const { behindSinceMs } = peer;
    const isLagging =
      view.height - status.height > 1 ||
      (behindSinceMs !== null && nowMs - behindSinceMs >= catchUpAfterMs);
    if (!isLagging || status.height < port.blockStore.base()) return;
    const block = this.#stored?.get(status.height, () => {
      if (this.#port === port)
        this.#serve(peer, port, port.roundState(), this.#clock.monotonicMs());
    });
    if (block !== null && block !== undefined) peer.serveStored(block, nowMs);
  }

  /** After what has arrived meanwhile: a status from before that would ask for it once more. */
  #sendStatusSoon(): void {
    this.#statusTimer ??= this.#clock.startTimer(0, () => {
      this.#statusTimer = null;
      this.#sendStatus();
    });
  }

  #sendStatus(): void {
    const port = this.#port;
    if (port === null) return;
    this.#dirty = false;
    this.#statusSentMs = this.#clock.monotonicMs();
    if (this.#peers.size > 0) this.#transport.broadcast("consensus", this.#encodedStatus(port));
  }

  #encodedStatus(port: ConsensusPort): Uint8Array {
    return encodeConsensusMessage(buildStatus(port.roundState()));
  }
}

/** Whether a message can be of use at `height`; others are ignored, as they come from honest nodes ahead or behind. */
function concerns(message: GossipMessage, height: Height): boolean {
  switch (message.type) {
    case "vote":
      return Math.abs(message.vote.height - height) <= 1;
    case "proposal":
      return message.proposal.height === height || message.proposal.height === height + 1;
    case "part":
      return message.height === height || message.height === height + 1;
    case "commit":
      return message.commit.height === height || message.commit.height === height + 1;
  }
}

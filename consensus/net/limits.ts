/** Every bound of the network edge, with its reason. A peer can cost us at most what this page says. */
import type { Channel } from "../host/ports.ts";

export interface ChannelLimits {
  /** A longer frame is a protocol violation: the link is closed and the peer reported. */
  readonly frameBytesMax: number;
  /** Outgoing frames waiting for the socket; past either bound a frame is dropped and counted. */
  readonly sendFramesMax: number;
  readonly sendBytesMax: number;
  /** Sustained inbound rates; past them the stream is not read until the budget refills, so the sender's queue fills instead. */
  readonly framesPerSecond: number;
  readonly bytesPerSecond: number;
  /** Frames of one peer handled before the next peer of the channel has its turn. */
  readonly turnFrames: number;
}

const kib = 1024;
const mib = 1024 * kib;

/** In the order in which inbound frames are served: a flood on a later channel never delays an earlier one. */
export const channels: readonly Channel[] = [
  "consensus",
  "evidence",
  "blocksync",
  "statesync",
  "mempool",
];

export const channelLimits: Readonly<Record<Channel, ChannelLimits>> = {
  // The largest message is a whole extended commit: 10,000 signatures of 111 bytes, or 500 validators with 4 KiB extensions.
  consensus: {
    frameBytesMax: 4 * mib,
    sendFramesMax: 8192,
    sendBytesMax: 32 * mib,
    framesPerSecond: 20_000,
    bytesPerSecond: 64 * mib,
    turnFrames: 128,
  },
  evidence: {
    frameBytesMax: 1 * mib,
    sendFramesMax: 256,
    sendBytesMax: 4 * mib,
    framesPerSecond: 100,
    bytesPerSecond: 4 * mib,
    turnFrames: 8,
  },
  // A block of the default 21 MiB with its extended commit; chains with larger blocks raise it in the transport's options.
  blocksync: {
    frameBytesMax: 32 * mib,
    sendFramesMax: 256,
    sendBytesMax: 128 * mib,
    framesPerSecond: 5_000,
    bytesPerSecond: 128 * mib,
    turnFrames: 8,
  },
  // A snapshot chunk is 10 MiB by custom; 16 leaves room for its envelope.
  statesync: {
    frameBytesMax: 16 * mib + 64 * kib,
    sendFramesMax: 64,
    sendBytesMax: 64 * mib,
    framesPerSecond: 500,
    bytesPerSecond: 64 * mib,
    turnFrames: 4,
  },
  // One batch of transactions; a single transaction is at most 1 MiB.
  mempool: {
    frameBytesMax: 1 * mib + 64 * kib,
    sendFramesMax: 1024,
    sendBytesMax: 16 * mib,
    framesPerSecond: 4_000,
    bytesPerSecond: 32 * mib,
    turnFrames: 8,
  },
};

/** Room beyond which joining more frames into one write saves nothing measurable. */
export const batchBytesMax: number = 128 * kib;
/** Unparsed bytes of one stream at which it is paused; the yamux window below bounds what still arrives after that. */
export const readBufferHighBytes: number = 512 * kib;
export const readBufferLowBytes: number = 128 * kib;
/** What one stream may have in flight: 10 MiB/s at 100 ms round trip, and 2 MiB for each stream of a peer that floods us. */
export const streamWindowBytesMax: number = 1 * mib;
/** A quarter of yamux's initial window: an update once so much of it is used, not after every frame. */
export const windowUpdateBytes: number = 64 * kib;
/** What one noise record holds, nearly: past this, collecting more of a turn's frames saves nothing. */
export const joinedWriteBytesMax: number = 60 * kib;
/** Above the window, so that an honest sender can never run into libp2p's own abort. */
export const streamBufferBytesMax: number = 4 * mib;
/** Longest stretch of frame handling before timers and sockets get their turn. */
export const turnMs: number = 8;

/** A silent link gets an empty frame at this pace and is closed when nothing at all was heard for the timeout. */
export const keepAliveMs: number = 3_000;
export const silenceMaxMs: number = 12_000;
/** From an open connection to five greeted streams. Long enough for a 300 ms link, short for a slowloris. */
export const handshakeMs: number = 8_000;
export const dialMs: number = 6_000;

/** As CometBFT's default for inbound peers. */
export const inboundPeersMax: number = 40;
/** Raw connections, greeted or not: twice all peers we could have. */
export const connectionsMax: number = 128;
/** libp2p's default of 5 per host and second refuses a local network on one address; this still stops a dial flood. */
export const inboundConnectionsPerSecond: number = 50;

/** First redial, growth and ceiling; each wait is spread by ±25 % so that a restarted network does not dial in step. */
export const redialFirstMs: number = 100;
export const redialFactorPercent: number = 160;
export const redialMaxMs: number = 10_000;
/** A link that lived this long resets the wait. */
export const redialSettledMs: number = 5_000;

/** Misbehaviour score: points per report, points forgiven per second, and the sum that disconnects. */
export const minorPoints: number = 1;
export const majorPoints: number = 10;
export const pointsForgivenPerSecond: number = 0.2;
export const pointsMax: number = 30;
/** First ban; doubles on each repetition up to the ceiling. */
export const banFirstMs: number = 30_000;
export const banMaxMs: number = 3_600_000;
/** Peers whose score is remembered; the oldest entry is forgotten first. */
export const scoredPeersMax: number = 4096;

/** Greeting fields. */
export const helloBytesMax: number = 512;
export const chainIdBytesMax: number = 50;
export const monikerBytesMax: number = 64;

// ---------------------------------------------------------------- messages

/** Vote sets one status may list: both kinds of the current and the next round, proof-of-lock and commit rounds. */
export const statusVoteSetsMax: number = 8;
/** Transactions of one batch, and bytes of one transaction (CometBFT's default `max_tx_bytes`). */
export const txBatchCountMax: number = 4096;
export const txBytesMax: number = 1 * mib;

// ---------------------------------------------------------------- consensus reactor

/** Pace of anti-entropy; what one tick may send to one peer bounds the work a lagging or lying peer can cause. */
export const gossipTickMs: number = 25;
export const votesPerTickMax: number = 128;
export const partsPerTickMax: number = 16;
/** A status goes out at a new height, within a height at this pace while something changes (below the relay delay, or others would
 * relay what has arrived), and at the slower pace when nothing does. */
export const statusGapMs: number = 45;
export const statusHeartbeatMs: number = 200;
/** The one who made a message sends it to everybody; others wait this long before they pass it on to a peer that lacks it. */
export const relayDelayMs: number = 60;
/** Something sent but still missing from the peer's statuses is sent again after this. */
export const resendMs: number = 500;
/** A peer that many milliseconds on a lower height is fed stored blocks; less is the ordinary spread of a commit. */
export const catchUpAfterMs: number = 150;
/** Block part sets kept for lagging peers. */
export const catchUpHeightsKept: number = 4;
/** Least time between two feedings of one lagging peer. */
export const catchUpGapMs: number = 5;

// ---------------------------------------------------------------- mempool reactor

/** Longest wait of a transaction for company in its batch; at 3,000 a second a batch then holds fifteen. */
export const mempoolFlushMs: number = 5;
/** A batch this large goes at once. */
export const mempoolBatchBytesMax: number = 256 * kib;
/** Transactions still pooled after a while are offered again, to one peer at a time: repairs what full queues dropped. */
export const mempoolReofferMs: number = 1_000;
export const mempoolReofferMax: number = 256;
/** Oldest transactions shown to a peer that has just connected. */
export const mempoolGreetingMax: number = 1_024;
/** Links a peer may announce; above the connections it can have. */
export const announcedPeersMax: number = 128;

// ---------------------------------------------------------------- evidence reactor

/** Evidence of all peers waiting for its check: each costs two signature checks. */
export const evidenceWaitingMax: number = 64;
/** Pending evidence shown to a new peer. */
export const evidenceGreetingBytesMax: number = 256 * kib;

/**
 * What a validator's operator reads at level info: one line for each thing that happened, with the figures to judge it by. What repeats
 * (progress of a sync, a missing price) is said at an interval or when it changes. Nothing here is text that a peer has written.
 */
import type { CommittedBlock, PeerInfo } from "@keel/consensus/host/ports";
import type { SyncProgress } from "@keel/consensus/sync/block-sync";
import { evidenceHeight } from "@keel/consensus/wire/evidence";
import type { Evidence } from "@keel/consensus/wire/types";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { formatTimestamp } from "@keel/proto/bytes/timestamp";
import type { Logger } from "./logger.ts";

/** Between two lines on the progress of a sync. */
const SYNC_LINE_MS = 5_000;
/** A price that is missing for less is not worth a line: sources answer at their own pace. */
const ORACLE_PATIENCE_MS = 3_000;

export interface JournalOptions {
  readonly log: Logger;
  /** Monotonic. */
  readonly nowMs: () => number;
  /** From the beginning of a height to its commit; above it the line is a warning. */
  readonly slowBlockMs: number;
}

export interface Journal {
  /** A round has been entered, or a step of it. */
  round(height: number, round: number, step: string): void;
  /** `sync`: where block sync stands, null when consensus runs. */
  committed(block: CommittedBlock, sync: SyncProgress | null): void;
  /** Block sync is over and consensus begins above `height`. */
  caughtUp(height: number): void;
  /** `peers`: all that are connected now. */
  peer(id: string, change: "up" | "down", peers: readonly PeerInfo[]): void;
  evidence(proof: Evidence): void;
  /** Symbols the chain lists of which this validator has no price now. */
  oracle(missing: readonly string[]): void;
}

export function createJournal({ log, nowMs, slowBlockMs }: JournalOptions): Journal {
  let begun: { readonly height: number; readonly atMs: number } | null = null;
  let newest = { height: 0, round: 0 };
  let synced: { readonly fromMs: number; blocks: number; saidMs: number } | null = null;
  let missing: { readonly text: string; readonly sinceMs: number; isSaid: boolean } | null = null;

  function syncing(height: number, sync: SyncProgress): void {
    synced ??= { fromMs: nowMs(), blocks: 0, saidMs: Number.NEGATIVE_INFINITY };
    synced.blocks += 1;
    if (nowMs() - synced.saidMs < SYNC_LINE_MS) return;
    synced.saidMs = nowMs();
    log.info("catching up", { height, target: sync.maxPeerHeight, peers: sync.peers });
  }

  function decided(height: number, txs: number, blockTime: string): void {
    const tookMs = begun?.height === height ? Math.round(nowMs() - begun.atMs) : null;
    const round = newest.height === height ? newest.round : 0;
    const took = tookMs === null ? {} : { took_ms: tookMs };
    const fields = { height, txs, round, ...took, block_time: blockTime };
    if (tookMs !== null && tookMs > slowBlockMs) log.warn("committed slowly", fields);
    else log.info("committed", fields);
  }

  return {
    round(height, round, step) {
      const isNew = newest.height !== height || newest.round !== round;
      if (step !== "newHeight" && begun?.height !== height) begun = { height, atMs: nowMs() };
      newest = { height, round };
      if (isNew && round > 0) log.info("new round", { height, round });
    },
    committed({ block }, sync) {
      const { height, time } = block.header;
      for (const proof of block.evidence)
        log.warn("evidence committed", { ...accused(proof), in_block: height });
      if (sync === null) decided(height, block.txs.length, formatTimestamp(time));
      else syncing(height, sync);
    },
    caughtUp(height) {
      if (synced === null) return;
      const seconds = Math.round((nowMs() - synced.fromMs) / 100) / 10;
      log.info("caught up", { height, blocks: synced.blocks, seconds });
      synced = null;
    },
    peer(id, change, peers) {
      const known = peers.find((peer) => peer.id === id);
      if (change === "down") log.info("peer left", { peer: id, peers: peers.length });
      else
        log.info("peer joined", {
          peer: id,
          address: known?.address ?? "",
          outbound: known?.outbound ?? false,
          peers: peers.length,
        });
    },
    evidence(proof) {
      log.warn("evidence found", accused(proof));
    },
    oracle(symbols) {
      const text = symbols.join(",");
      if (text === (missing?.text ?? "")) {
        if (missing === null || missing.isSaid) return;
        if (nowMs() - missing.sinceMs < ORACLE_PATIENCE_MS) return;
        missing.isSaid = true;
        log.warn("oracle prices missing: this validator votes without them", { symbols: text });
        return;
      }
      const wasSaid = missing?.isSaid === true;
      missing = text === "" ? null : { text, sinceMs: nowMs(), isSaid: false };
      if (wasSaid && missing === null) log.info("oracle prices are back");
    },
  };
}

function accused(proof: Evidence): Readonly<Record<string, unknown>> {
  const height = evidenceHeight(proof);
  if (proof.kind !== "duplicateVote") return { kind: proof.kind, height };
  return { kind: "double vote", height, validator: bytesToHex(proof.voteA.validatorAddress) };
}

/**
 * Misbehaviour scores and temporary bans, by authenticated peer. Points are forgiven slowly, so that a lossy but honest peer is
 * never banned; each ban of the same peer lasts twice as long as the one before.
 */
import type { PeerId } from "../host/ports.ts";
import {
  banFirstMs,
  banMaxMs,
  majorPoints,
  minorPoints,
  pointsForgivenPerSecond,
  pointsMax,
  scoredPeersMax,
} from "./limits.ts";

interface Entry {
  points: number;
  countedMs: number;
  bans: number;
  bannedUntilMs: number;
}

export class PeerScores {
  readonly #entries = new Map<PeerId, Entry>();

  /** Adds a report; true when it brought the peer over the limit and it is now banned. */
  report(peer: PeerId, severity: "minor" | "major", nowMs: number): boolean {
    const entry = this.#entry(peer, nowMs);
    const forgiven = ((nowMs - entry.countedMs) / 1000) * pointsForgivenPerSecond;
    entry.points =
      Math.max(0, entry.points - forgiven) + (severity === "major" ? majorPoints : minorPoints);
    entry.countedMs = nowMs;
    if (entry.points <= pointsMax) return false;
    entry.bannedUntilMs = nowMs + Math.min(banMaxMs, banFirstMs * 2 ** Math.min(entry.bans, 20));
    entry.bans += 1;
    entry.points = 0;
    return true;
  }

  isBanned(peer: PeerId, nowMs: number): boolean {
    const entry = this.#entries.get(peer);
    return entry !== undefined && nowMs < entry.bannedUntilMs;
  }

  #entry(peer: PeerId, nowMs: number): Entry {
    const known = this.#entries.get(peer);
    // Re-inserting keeps the map in order of last report, so that the first key is the one to forget.
    if (known !== undefined) this.#entries.delete(peer);
    const entry = known ?? { points: 0, countedMs: nowMs, bans: 0, bannedUntilMs: 0 };
    this.#entries.set(peer, entry);
    if (this.#entries.size > scoredPeersMax) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    return entry;
  }
}

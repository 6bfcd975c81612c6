/** Registered message and peer handlers of a transport. Nothing a handler throws reaches the socket that brought the frame. */
import { DecodeError } from "@keel/proto/bytes/decode-error";
import type { Channel, PeerId } from "../host/ports.ts";

export type MessageHandler = (peer: PeerId, message: Uint8Array) => void;
export type PeerHandler = (peer: PeerId, change: "up" | "down") => void;

/** Where the network edge tells what it drops and why. `error` is a bug of ours, the others are the outside's doing. */
export interface NetLog {
  debug(message: string, fields: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
  error(message: string, fields: Readonly<Record<string, unknown>>): void;
}

export const silentLog: NetLog = { debug: () => {}, warn: () => {}, error: () => {} };

export class HandlerTable {
  readonly #messages = new Map<Channel, MessageHandler[]>();
  readonly #peers: PeerHandler[] = [];
  readonly #log: NetLog;
  readonly #onRefused: (peer: PeerId, reason: string) => void;

  /** `onRefused`: a handler refused a frame by throwing. */
  constructor(log: NetLog, onRefused: (peer: PeerId, reason: string) => void) {
    this.#log = log;
    this.#onRefused = onRefused;
  }

  addMessage(channel: Channel, handler: MessageHandler): void {
    const handlers = this.#messages.get(channel) ?? [];
    handlers.push(handler);
    this.#messages.set(channel, handlers);
  }

  addPeer(handler: PeerHandler): void {
    this.#peers.push(handler);
  }

  message(peer: PeerId, channel: Channel, message: Uint8Array): void {
    for (const handler of this.#messages.get(channel) ?? []) {
      try {
        handler(peer, message);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        // A handler that meets malformed bytes says so with DecodeError. Anything else is our bug, set off by this peer's
        // frame: it is dropped all the same, because a frame that stops a validator would stop every validator.
        if (!(error instanceof DecodeError))
          this.#log.error("frame handler failed", { peer, channel, reason });
        this.#onRefused(peer, reason);
      }
    }
  }

  peer(peer: PeerId, change: "up" | "down"): void {
    for (const handler of this.#peers) {
      try {
        handler(peer, change);
      } catch (error) {
        this.#log.error("peer handler failed", { peer, change, reason: String(error) });
      }
    }
  }
}

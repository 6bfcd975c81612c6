/** One connection to `/stream`, without the socket: requests in, messages out, and when it is to be closed. */
import type { Addresses } from "@keel/modules/kit/addresses";
import { type Membership, refusalText, type StreamHub } from "./hub.ts";
import {
  MESSAGES_BURST_MAX,
  MESSAGES_PER_SECOND_MAX,
  REQUEST_ID_LENGTH_MAX,
  SLOW_BYTES,
  SLOW_MS_MAX,
} from "./limits.ts";
import { StreamRefusal, topicJson, topicOf } from "./topics.ts";

export type CloseReason =
  | "slow-consumer"
  | "too-many-messages"
  | "too-many-clients"
  | "reader-failed"
  | "node-stops";

/** WebSocket close codes: policy, try again later, restart. */
export const closeCodes: Readonly<Record<CloseReason, number>> = {
  "slow-consumer": 1008,
  "too-many-messages": 1008,
  "too-many-clients": 1013,
  "reader-failed": 1012,
  "node-stops": 1012,
};

/** What a session needs of its socket. */
export interface Line {
  send(text: string): void;
  /** Bytes that the other end has not taken yet. */
  buffered(): number;
  close(reason: CloseReason): void;
}

export class StreamSession {
  readonly #line: Line;
  readonly #addresses: Addresses;
  readonly #nowMs: () => number;
  readonly #membership: Membership;
  #tokens: number = MESSAGES_BURST_MAX;
  #refilledMs: number;
  /** Since when it has been behind; null: it is not. */
  #behindSinceMs: number | null = null;

  constructor(options: {
    readonly line: Line;
    readonly hub: StreamHub;
    readonly addresses: Addresses;
    /** Never goes back. */
    readonly nowMs: () => number;
  }) {
    this.#line = options.line;
    this.#addresses = options.addresses;
    this.#nowMs = options.nowMs;
    this.#refilledMs = options.nowMs();
    this.#membership = options.hub.join({
      send: (text) => {
        if (this.#isBehind()) return false;
        this.#line.send(text);
        return true;
      },
      answer: (text) => this.#line.send(text),
      isBehind: () => this.#isBehind(),
    });
  }

  receive(text: string): void {
    if (!this.#mayTalk()) {
      this.#line.close("too-many-messages");
      return;
    }
    let id = "";
    try {
      const request = parseRequest(text);
      id = idOf(request["id"]);
      this.#take(request, id);
    } catch (error) {
      if (!(error instanceof StreamRefusal)) throw error;
      this.#line.send(refusalText(error, head(id)));
    }
  }

  /** Every few seconds: a sign of life, and the end of one that has been behind for too long. */
  heartbeat(height: number, timeMs: number): void {
    if (!this.#isBehind()) {
      this.#line.send(`{"type":"heartbeat","height":${height},"time_ms":${timeMs}}`);
    } else if (this.#nowMs() - (this.#behindSinceMs as number) > SLOW_MS_MAX) {
      this.#line.close("slow-consumer");
    }
  }

  leave(): void {
    this.#membership.leave();
  }

  #take(request: Readonly<Record<string, unknown>>, id: string): void {
    const op = request["op"];
    if (op === "ping") {
      this.#line.send(`{"type":"pong"${head(id)}}`);
      return;
    }
    if (op !== "subscribe" && op !== "unsubscribe")
      throw new StreamRefusal("bad-request", "op: expected subscribe, unsubscribe or ping");
    const topic = topicOf(request, this.#addresses);
    if (op === "subscribe") {
      // A snapshot is sent however far the client is behind, so it may not ask for more of them meanwhile.
      if (this.#isBehind()) throw new StreamRefusal("busy", "read what was sent first");
      this.#membership.subscribe(topic, id);
      return;
    }
    this.#membership.unsubscribe(topic.key);
    this.#line.send(`{"type":"unsubscribed"${head(id)},${topicJson(topic)}}`);
  }

  #isBehind(): boolean {
    const isBehind = this.#line.buffered() > SLOW_BYTES;
    if (!isBehind) this.#behindSinceMs = null;
    else this.#behindSinceMs ??= this.#nowMs();
    return isBehind;
  }

  #mayTalk(): boolean {
    const now = this.#nowMs();
    const earned = ((now - this.#refilledMs) / 1000) * MESSAGES_PER_SECOND_MAX;
    this.#tokens = Math.min(MESSAGES_BURST_MAX, this.#tokens + earned);
    this.#refilledMs = now;
    this.#tokens -= 1;
    return this.#tokens >= 0;
  }
}

function head(id: string): string {
  return id === "" ? "" : `,"id":${id}`;
}

/** Throws StreamRefusal on anything but an object. */
function parseRequest(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new StreamRefusal("bad-message", "expected a JSON object");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new StreamRefusal("bad-message", "expected a JSON object");
  return value as Readonly<Record<string, unknown>>;
}

/** As JSON; empty without one. Throws StreamRefusal. */
function idOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  if (typeof value === "string" && value.length <= REQUEST_ID_LENGTH_MAX)
    return JSON.stringify(value);
  throw new StreamRefusal(
    "bad-request",
    `id: expected a whole number or a text of at most ${REQUEST_ID_LENGTH_MAX} characters`,
  );
}

/** What can be followed: a channel and its subject. */
import type { Addresses } from "@keel/modules/kit/addresses";
import { isResolution, RESOLUTIONS, type Resolution } from "./candles.ts";

export type MarketChannel = "book" | "trades" | "marks";
export type AccountChannel = "orders" | "fills" | "positions";

export type Topic = { readonly key: string } & (
  | { readonly channel: MarketChannel; readonly market: string }
  | { readonly channel: "candles"; readonly market: string; readonly resolution: Resolution }
  /** "keel1…/0", as the chain writes it. */
  | { readonly channel: AccountChannel; readonly account: string }
);

/** Why a request is not taken. */
export class StreamRefusal extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.name = "StreamRefusal";
    this.code = code;
  }
}

export type RefusalCode =
  | "bad-message"
  | "bad-request"
  | "unknown-market"
  | "unknown-channel"
  | "already-subscribed"
  | "not-subscribed"
  | "too-many-subscriptions"
  | "busy";

const SYMBOL = /^[\x20-\x7e]{1,32}$/;
const ACCOUNT = /^([a-z0-9]{1,120})\/(0|[1-9][0-9]{0,9})$/;
const NUMBER_MAX = 0xffff_ffff;

/** The topic that a request names. Throws StreamRefusal; whether a market exists is not looked at. */
export function topicOf(request: Readonly<Record<string, unknown>>, addresses: Addresses): Topic {
  const channel = request["channel"];
  switch (channel) {
    case "book":
    case "trades":
    case "marks": {
      const market = symbolOf(request["market"]);
      return { key: `${channel}:${market}`, channel, market };
    }
    case "candles": {
      const market = symbolOf(request["market"]);
      const resolution = resolutionOf(request["resolution"]);
      return { key: `candles:${resolution}:${market}`, channel, market, resolution };
    }
    case "orders":
    case "fills":
    case "positions": {
      const account = accountText(request["account"], addresses);
      return { key: `${channel}:${account}`, channel, account };
    }
    default:
      throw new StreamRefusal(
        "unknown-channel",
        "channel: expected book, trades, candles, marks, orders, fills or positions",
      );
  }
}

/** The part of every message about a topic that names it. */
export function topicJson(topic: Topic): string {
  const { key: _key, ...names } = topic;
  return JSON.stringify(names).slice(1, -1);
}

export function symbolOf(value: unknown): string {
  if (typeof value !== "string" || !SYMBOL.test(value))
    throw new StreamRefusal("bad-request", "market: expected a symbol of at most 32 characters");
  return value;
}

export function resolutionOf(value: unknown): Resolution {
  if (typeof value !== "string" || !isResolution(value))
    throw new StreamRefusal("bad-request", `resolution: expected one of ${RESOLUTIONS.join(" ")}`);
  return value;
}

/** "address/number" as the chain writes it; a bare address is its sub-account 0. */
export function accountText(value: unknown, addresses: Addresses): string {
  const text = typeof value !== "string" || value.includes("/") ? value : `${value}/0`;
  const match = typeof text === "string" && text.length <= 140 ? ACCOUNT.exec(text) : null;
  const number = Number(match?.[2]);
  if (match !== null && number <= NUMBER_MAX) {
    try {
      return `${addresses.format(addresses.parse(match[1] as string))}/${number}`;
    } catch {
      // Said below.
    }
  }
  throw new StreamRefusal(
    "bad-request",
    `account: expected an address of this chain and a number, such as ${addresses.prefix}1.../0`,
  );
}

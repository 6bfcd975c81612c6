/** What an operation of the simulation sees, and what it makes. */
import type { Random } from "@keel/modules/derivatives/random";
import type { SimulatedAccount, SimulatedMarket } from "@keel/modules/derivatives/simulate-kit";
import type { ReadContext } from "@keel/modules/kit/context";
import type { Keel } from "@keel/node/app/app";
import type { OrderDocument, SignedDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";
import type { Agent, Signer } from "./agents.ts";

export interface PlannedMessage {
  readonly typeUrl: string;
  readonly value: object;
}

export interface Planned {
  readonly messages: readonly PlannedMessage[];
  /** With a sequence instead of a time. */
  readonly ordered?: boolean;
  readonly gasLimit?: number;
}

export interface At {
  readonly keel: Keel;
  readonly ctx: ReadContext;
  readonly nowMs: number;
  readonly random: Random;
  readonly agents: readonly Agent[];
  readonly agent: Agent;
  readonly account: SimulatedAccount;
  /** Of the same few agents that trade the same few markets. */
  readonly other: SimulatedAccount;
  readonly otherAgent: Agent;
  readonly market: SimulatedMarket;
  /** All that have a price. */
  markets(): readonly SimulatedMarket[];
  sign(document: OrderDocument, by: Signer): SignedDocument;
}

export interface SimulationOperation {
  readonly name: string;
  /** How often, relative to the others. */
  readonly weight: number;
  /** It is wrong on purpose, so it need never be accepted. */
  readonly wrong?: boolean;
  /** Null: nothing to do here and now. */
  create(at: At): Planned | null;
}

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

/** What a query answers in the state that is looked at. */
export function ask<Request, Response>(
  { keel, ctx }: Pick<At, "keel" | "ctx">,
  path: string,
  [request, response]: readonly [Codec<Request>, Codec<Response>],
  question: Request,
): Response {
  const answer = keel.queries.get(path)?.handle(ctx, request.encode(question).finish());
  if (answer === undefined) throw new Error(`no query ${path}`);
  return response.decode(answer);
}

export function one(typeUrl: string, value: object, more: Omit<Planned, "messages"> = {}): Planned {
  return { messages: [{ typeUrl, value }], ...more };
}

/** The next whole minute that is at least so many minutes ahead, Unix milliseconds. */
export function minutesAhead(nowMs: number, minutes: number): bigint {
  const minute = 60_000;
  return BigInt((Math.floor(nowMs / minute) + minutes + 1) * minute);
}

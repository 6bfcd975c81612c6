/** The parts of an order that make it wait, bring others with it, or come in slices, checked and in their wire form. */
import type { BuilderFee } from "@keel/proto/gen/keel/derivatives/v1/fees";
import {
  AttachedOrder,
  type Bracket,
  Trigger,
  type Twap,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { TriggerKind } from "@keel/proto/gen/keel/derivatives/v1/types";
import { formatDecimal, isMultiple, readDecimal, roundToStep } from "./decimal.ts";
import { KeelInputError } from "./errors.ts";
import { BUILDER_FEE_CEILING_PPM, CLIENT_ID_BYTES_MAX } from "./limits.ts";

/** The part of a listed market that an order is checked against; neither ever changes. */
export interface MarketSteps {
  readonly symbol: string;
  readonly tickSize: string;
  readonly lotSize: string;
}

/** What an order waits for. It fires on the mark at the end of a block. */
export type TriggerRequest =
  /** A sell stop or buy take-profit fires at this mark or below, the other two at it or above. */
  | { readonly kind: "stop" | "take-profit"; readonly price: string }
  /** Behind the best mark since it was placed: by a price difference, or by parts per million of it. */
  | { readonly kind: "trailing-stop"; readonly distance: string }
  | { readonly kind: "trailing-stop"; readonly distancePpm: number };

/** One order of a bracket; reduce-only, of the size that was filled. */
export interface AttachedRequest {
  readonly triggerPrice: string;
  /** Limit; absent: a market order. */
  readonly price?: string;
  readonly maxSlippagePpm?: number;
  readonly clientId?: string;
}

/** At least one of the two. */
export interface BracketRequest {
  readonly takeProfit?: AttachedRequest;
  readonly stopLoss?: AttachedRequest;
}

export interface TwapRequest {
  /** 2 to 1000. */
  readonly slices: number;
  /** Between two slices, 1000 to 86,400,000; the first is due at once. */
  readonly intervalMs: number;
}

/** Who brought an order, and what that costs its owner: parts per million of each fill's quote. */
export interface BuilderRequest {
  readonly address: string;
  readonly feePpm: number;
}

const kinds = {
  stop: TriggerKind.TRIGGER_KIND_STOP,
  "take-profit": TriggerKind.TRIGGER_KIND_TAKE_PROFIT,
  "trailing-stop": TriggerKind.TRIGGER_KIND_TRAILING_STOP,
} as const;

export function triggerPart(request: TriggerRequest, steps: MarketSteps): Trigger {
  const kind = kinds[request.kind];
  if (kind === undefined)
    throw new KeelInputError(
      "invalid-order",
      "trigger",
      `expected "stop", "take-profit" or "trailing-stop", got ${request.kind}`,
    );
  if ("distancePpm" in request)
    return Trigger.fromPartial({ kind, trailPpm: whole("trigger", request.distancePpm, 999_999) });
  if ("distance" in request)
    return Trigger.fromPartial({ kind, trail: canonicalStep("price", request.distance, steps) });
  return Trigger.fromPartial({ kind, price: canonicalStep("price", request.price, steps) });
}

export function bracketPart(request: BracketRequest, steps: MarketSteps): Bracket {
  if (request.takeProfit === undefined && request.stopLoss === undefined)
    throw new KeelInputError(
      "invalid-order",
      "bracket",
      "expected a take-profit, a stop-loss or both",
    );
  const part = (attached: AttachedRequest | undefined): AttachedOrder | undefined =>
    attached === undefined ? undefined : attachedPart(attached, steps);
  return { takeProfit: part(request.takeProfit), stopLoss: part(request.stopLoss) };
}

function attachedPart(request: AttachedRequest, steps: MarketSteps): AttachedOrder {
  const { maxSlippagePpm, price } = request;
  return AttachedOrder.fromPartial({
    triggerPrice: canonicalStep("price", request.triggerPrice, steps),
    price: price === undefined ? "" : canonicalStep("price", price, steps),
    maxSlippagePpm: slippagePart(maxSlippagePpm),
    clientId: checkedClientId(request.clientId),
  });
}

export function twapPart({ slices, intervalMs }: TwapRequest): Twap {
  if (whole("twap", slices, 1000) < 2 || whole("twap", intervalMs, 86_400_000) < 1000)
    throw new KeelInputError(
      "invalid-order",
      "twap",
      `expected 2 to 1000 slices, 1000 to 86400000 ms apart, got ${slices}, ${intervalMs} ms apart`,
    );
  return { slices, intervalMs: BigInt(intervalMs) };
}

/** The owner must have approved of the builder. */
export function builderPart({ address, feePpm }: BuilderRequest): BuilderFee {
  return { builder: address, feePpm: checkedFeePpm("builder", feePpm) };
}

export function checkedFeePpm(field: string, ppm: number): number {
  if (Number.isSafeInteger(ppm) && ppm >= 0 && ppm <= BUILDER_FEE_CEILING_PPM) return ppm;
  throw new KeelInputError(
    "invalid-option",
    field,
    `expected a whole number of 0 to ${BUILDER_FEE_CEILING_PPM} ppm, got ${ppm}`,
  );
}

/** 0: the market's band alone. */
export function slippagePart(ppm: number | undefined): number {
  return ppm === undefined ? 0 : whole("maxSlippagePpm", ppm, 999_999);
}

function whole(field: string, value: number, most: number): number {
  if (Number.isSafeInteger(value) && value > 0 && value <= most) return value;
  throw new KeelInputError(
    "invalid-order",
    field,
    `expected a whole number of 1 to ${most}, got ${value}`,
  );
}

/** A price on tick or a size on lot, in canonical form. */
export function canonicalStep(field: "price" | "size", text: string, steps: MarketSteps): string {
  requireStep(field, text, steps);
  return formatDecimal(readDecimal(field, text));
}

/** Throws KeelInputError unless `text` is a positive multiple of the market's step. */
export function requireStep(field: "price" | "size", text: string, steps: MarketSteps): void {
  const step = field === "price" ? steps.tickSize : steps.lotSize;
  if (isMultiple(field, text, step)) return;
  const name = field === "price" ? "tick" : "lot";
  const down = roundToStep(text, step, "down");
  const up = roundToStep(text, step, "up");
  const near = down === "0" || down === up ? step : `${down} or ${up}`;
  throw new KeelInputError(
    field === "price" ? "price-off-tick" : "size-off-lot",
    field,
    `expected a positive multiple of ${steps.symbol}'s ${name} ${step}, such as ${near}, got ${text}`,
  );
}

export function checkedClientId(id: string | undefined): string {
  if (id === undefined) return "";
  if (!/^[\x21-\x7e]*$/.test(id) || id.length > CLIENT_ID_BYTES_MAX)
    throw new KeelInputError(
      "invalid-order",
      "clientId",
      `expected at most ${CLIENT_ID_BYTES_MAX} printable ASCII characters and no space, got ${JSON.stringify(id.slice(0, 80))}`,
    );
  return id;
}

/** Events of trading keys, as listed in keel/derivatives/v1/events.proto. */
import type { WriteContext } from "../../kit/context.ts";
import type { Venue } from "../venue.ts";
import type { GrantKey } from "./state.ts";

export function grantEvent(
  ctx: WriteContext,
  { addresses }: Venue,
  [owner, trader]: GrantKey,
  expiryMs: bigint,
): void {
  ctx.emit("trading_key_granted", {
    owner: addresses.format(owner),
    trader: addresses.format(trader),
    expiry_ms: expiryMs.toString(),
  });
}

export function revokeEvent(
  ctx: WriteContext,
  { addresses }: Venue,
  [owner, trader]: GrantKey,
  reason: "user" | "expired",
): void {
  ctx.emit("trading_key_revoked", {
    owner: addresses.format(owner),
    trader: addresses.format(trader),
    reason,
  });
}

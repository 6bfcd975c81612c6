/** Events of block hooks, which say by a last attribute which hook they come from. */
import type { Event as WireEvent } from "@keel/consensus/wire/abci";
import type { Event } from "@keel/modules/kit/context";
import { toWireEvents } from "./contexts.ts";

export function addMode(events: readonly Event[], hook: "beginBlock" | "endBlock"): WireEvent[] {
  return toWireEvents(events, {
    key: "mode",
    value: hook === "beginBlock" ? "BeginBlock" : "EndBlock",
  });
}

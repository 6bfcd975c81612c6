/** What the guard needs of others, said by the guard. */
import type { Addresses } from "../kit/addresses.ts";

export interface GuardPorts {
  readonly addresses: Addresses;
}

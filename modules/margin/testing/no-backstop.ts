/** Nobody takes anything over: for worlds without a vault. */
import type { BackstopPort } from "../ports.ts";

export const noBackstop: BackstopPort = {
  ready: () => false,
  isOwn: () => false,
  offer: () => null,
  bid: () => null,
  purse: () => null,
};

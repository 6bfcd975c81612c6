/** What a withdrawal policy, an action and a top-up rule must look like. Without state. */
import type {
  CustodyAction,
  TopUpRule,
  WithdrawalPolicy,
} from "@keel/proto/gen/keel/margin/v1/custody";
import type { Addresses } from "../../kit/addresses.ts";
import { PPM } from "../../kit/math/mul-div.ts";
import { parseMoney, parsePositiveMoney } from "../../kit/money.ts";
import { refuse } from "../errors.ts";
import {
  POLICY_ADDRESSES_MAX,
  POLICY_DELAY_MAX_MS,
  RECOVERY_DELAY_MAX_MS,
  TOP_UP_GIVERS_MAX,
  TOP_UP_TARGET_MAX_PPM,
} from "./limits.ts";

function requireThat(condition: boolean, expected: string): void {
  if (!condition) throw refuse("invalidRequest", `expected ${expected}`);
}

/** Canonical text, so that comparing texts compares addresses. */
function requireAddress(addresses: Addresses, text: string): void {
  const canonical = addresses.format(addresses.parse(text));
  requireThat(canonical === text, `the address as ${canonical}`);
}

function requireAddresses(addresses: Addresses, texts: readonly string[], what: string): void {
  requireThat(texts.length <= POLICY_ADDRESSES_MAX, `at most ${POLICY_ADDRESSES_MAX} ${what}`);
  for (const text of texts) requireAddress(addresses, text);
  const ascends = texts.every((text, i) => i === 0 || (texts[i - 1] as string) < text);
  requireThat(ascends, `${what} ascending, each once`);
}

function requireAmount(text: string, what: string): void {
  const amount = parseMoney(text);
  requireThat(amount !== null && amount >= 0n, `${what} in whole quanta, 0 or more`);
}

export function validatePolicy(addresses: Addresses, policy: WithdrawalPolicy): void {
  const { keys, recipients, threshold, delayMs, recoveryDelayMs } = policy;
  requireAddresses(addresses, keys, "keys");
  requireAddresses(addresses, recipients, "recipients");
  requireThat(
    threshold >= 1 && threshold <= keys.length,
    `a threshold of 1 to the ${keys.length} keys, got ${threshold}`,
  );
  requireThat(
    delayMs <= BigInt(POLICY_DELAY_MAX_MS),
    `a delay of at most ${POLICY_DELAY_MAX_MS} ms`,
  );
  requireThat(
    recoveryDelayMs === 0n ||
      (recoveryDelayMs >= delayMs && recoveryDelayMs <= BigInt(RECOVERY_DELAY_MAX_MS)),
    `a recovery delay of 0, or from the delay to ${RECOVERY_DELAY_MAX_MS} ms`,
  );
  requireAmount(policy.tradingLossPerDay, "a trading loss a day");
  requireAmount(policy.topUpPerDay, "a top-up a day");
}

export type ActionName = "withdraw" | "transfer" | "port" | "policy";

export function actionName(action: CustodyAction): ActionName {
  const names = (["withdraw", "transfer", "port", "policy"] as const).filter(
    (name) => action[name] !== undefined,
  );
  const [name] = names;
  if (name === undefined || names.length !== 1) {
    throw refuse("invalidRequest", "expected exactly one action");
  }
  return name;
}

export function validateAction(addresses: Addresses, action: CustodyAction): void {
  actionName(action);
  const { withdraw, transfer, port, policy } = action;
  const paid = withdraw ?? transfer;
  if (paid !== undefined && parsePositiveMoney(paid.amount) === null) {
    throw refuse("invalidAmount", "expected a positive integer below 2^127");
  }
  if (withdraw !== undefined) requireAddress(addresses, withdraw.recipient);
  if (port !== undefined) requireAddress(addresses, port.toOwner);
  if (policy?.policy !== undefined) validatePolicy(addresses, policy.policy);
}

/** Of the sub-account with this number. */
export function validateTopUp(rule: TopUpRule, number: number): void {
  const { from, targetPpm } = rule;
  requireThat(
    from.length >= 1 && from.length <= TOP_UP_GIVERS_MAX && new Set(from).size === from.length,
    `1 to ${TOP_UP_GIVERS_MAX} different sub-accounts that give`,
  );
  if (from.includes(number)) throw refuse("sameAccount", "a sub-account does not top itself up");
  requireThat(
    targetPpm >= PPM && targetPpm <= TOP_UP_TARGET_MAX_PPM,
    "a target of 1 to 10 times maintenance",
  );
  if (parsePositiveMoney(rule.capPerDay) === null) {
    throw refuse("invalidAmount", "expected a positive cap a day in whole quanta");
  }
}

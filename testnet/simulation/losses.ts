/** Who bore each loss of a block, read from its events alone: what a ledger says has to add up, and to be what the funds and the other side have paid. */
import type { Event } from "@keel/consensus/wire/abci";

export interface Line {
  /** "fund:btc", "deleveraging". */
  readonly bearer: string;
  readonly quanta: bigint;
}

export interface Loss {
  readonly account: string;
  /** "liquidation", "settlement" or "queue". */
  readonly cause: string;
  readonly amount: bigint;
  readonly classes: readonly Line[];
  readonly lines: readonly Line[];
}

function attribute({ attributes }: Event, name: string): string {
  return attributes.find(({ key }) => key === name)?.value ?? "";
}

function listed(text: string): Line[] {
  if (text === "") return [];
  return text.split(",").map((entry) => {
    const at = entry.lastIndexOf("=");
    return { bearer: entry.slice(0, at), quanta: BigInt(entry.slice(at + 1)) };
  });
}

export function lossOf(event: Event): Loss {
  return {
    account: attribute(event, "account"),
    cause: attribute(event, "cause"),
    amount: BigInt(attribute(event, "amount")),
    classes: listed(attribute(event, "classes")),
    lines: listed(attribute(event, "lines")),
  };
}

const LAYERS = [
  "its own",
  "funds of its classes",
  "shared fund",
  "assessment",
  "deleveraging",
  "haircut",
  "residue",
  "queue",
] as const;
export type Layer = (typeof LAYERS)[number];

/** Which layer of the order of payments a line is of. Throws on a bearer that is none. */
export function layerOf({ classes }: Loss, index: number, { bearer }: Line): Layer {
  // Where nothing was missing, only what closing at whole ticks has moved is told.
  if (bearer === "defaulter" || (bearer === "queue" && index === 0)) return "its own";
  if (bearer === "kept") return "residue";
  const named = LAYERS.find((layer) => layer === bearer);
  if (named !== undefined) return named;
  const [kind = "", riskClass = ""] = bearer.split(":");
  if (kind !== "fund" && kind !== "treasury" && kind !== "assessment")
    throw new Error(`nobody is called "${bearer}"`);
  if (riskClass === "") return "shared fund";
  const charged = classes.some((one) => one.bearer === riskClass);
  if (charged !== (kind !== "assessment") && kind !== "treasury")
    throw new Error(`"${bearer}" pays for ${charged ? "its own" : "another"} class`);
  return charged ? "funds of its classes" : "assessment";
}

function sum(lines: readonly Line[]): bigint {
  return lines.reduce((all, { quanta }) => all + quanta, 0n);
}

function faultOf(loss: Loss): string | null {
  const { account, amount, classes, lines } = loss;
  const [first] = lines;
  if (sum(lines) !== 0n) return `the lines of ${account} sum to ${sum(lines)}`;
  // What stays in the queue is no line of what left it.
  const borne = -(first?.quanta ?? 0n);
  if (amount > 0n && (first?.bearer === "queue" ? borne > amount : borne !== amount))
    return `${account} misses ${amount}, its ledger ${borne}`;
  if (sum(classes) !== amount) return `${account} misses ${amount}, its classes ${sum(classes)}`;
  let before = 0;
  for (const [index, line] of lines.entries()) {
    const place = LAYERS.indexOf(layerOf(loss, index, line));
    if (place < before) return `${account}: ${line.bearer} pays after ${LAYERS[before]}`;
    before = place;
  }
  return null;
}

/** Quanta by name, for two ways to add up the same. */
class Tally {
  readonly #sums = new Map<string, bigint>();

  add(name: string, quanta: bigint): void {
    this.#sums.set(name, (this.#sums.get(name) ?? 0n) + quanta);
  }

  get(name: string): bigint {
    return this.#sums.get(name) ?? 0n;
  }

  /** The first name whose sum is another there. */
  difference(other: Tally): string | null {
    for (const name of new Set([...this.#sums.keys(), ...other.#sums.keys()])) {
      const [here, there] = [this.get(name), other.get(name)];
      if (here !== there) return `${name}: ${here} in the ledgers, ${there} were moved`;
    }
    return null;
  }
}

/** Of a gain in several markets each is cut by itself, on a running sum. */
const ROUNDING = 10n;
const FUNDS: readonly Layer[] = ["funds of its classes", "shared fund", "assessment"];

/**
 * Null when every loss of the block sums to zero in the order of payments, and the lines together are what accounts got of the funds, what each class's
 * fund paid, what the other side lost by deleveraging, and what was kept of gains.
 */
export function lossFault(events: readonly Event[]): string | null {
  const ledgers = new Tally();
  const moved = new Tally();
  for (const event of events) {
    const of = (name: string): string => attribute(event, name);
    if (event.type === "loss") {
      const loss = lossOf(event);
      const fault = faultOf(loss);
      if (fault !== null) return fault;
      for (const [index, line] of loss.lines.entries()) {
        const layer = layerOf(loss, index, line);
        const [, riskClass = ""] = line.bearer.split(":");
        if (FUNDS.includes(layer)) ledgers.add(`funds to ${loss.account}`, line.quanta);
        if (riskClass !== "") ledgers.add(`fund of ${riskClass}`, line.quanta);
        if (layer === "deleveraging") ledgers.add(`deleveraging for ${loss.account}`, line.quanta);
        if (layer === "haircut") ledgers.add("kept of gains", line.quanta);
      }
    }
    if (event.type === "deficit_covered")
      moved.add(`funds to ${of("account")}`, BigInt(of("amount")));
    if (event.type === "insurance_paid" && of("risk_class") !== "")
      moved.add(`fund of ${of("risk_class")}`, BigInt(of("amount")));
    if (event.type === "deleverage_round") {
      const loss = BigInt(of("loss"));
      // Who was only under water pays the other side for taking it: nobody has lost anything.
      if (of("reason") !== "unfilled") moved.add(`deleveraging for ${of("account")}`, loss);
      else if (loss > 0n) return `the other side lost ${loss} by taking what ${of("account")} held`;
    }
    if (event.type === "gains_haircut") {
      const [gain, kept] = [BigInt(of("gain")), BigInt(of("kept"))];
      if ((kept - ROUNDING) * 1_000_000n > gain * BigInt(of("cap_ppm")))
        return `${of("account")} lost ${kept} of a gain of ${gain}, more than ${of("cap_ppm")} ppm`;
      moved.add("kept of gains", kept);
    }
  }
  return ledgers.difference(moved);
}

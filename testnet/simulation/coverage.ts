/** What a run went through, counted; and what it must have gone through to prove anything. */
import type { FinalizeBlockResponse } from "@keel/consensus/host/ports";
import type { ExecTxResult, Event as WireEvent } from "@keel/consensus/wire/abci";
import type { Instrument } from "@keel/modules/derivatives/instruments";
import { type Loss, layerOf, lossOf } from "./losses.ts";
import type { Sent } from "./traffic.ts";

export type Section =
  | "operation accepted"
  | "operation refused"
  | "message accepted"
  | "refusal"
  | "event"
  | "leaves because"
  | "life of a contract"
  | "who bears a loss";

/** "european call" */
function kindText({ contract: { kind, option } }: Instrument): string {
  const names = {
    linearPerpetual: "perpetual",
    datedFuture: "future",
    europeanOption: "european",
    digitalOption: "digital",
    asianOption: "asian",
  };
  return option === null ? names[kind] : `${names[kind]} ${option.right}`;
}

/** Events that say where in its life a contract is, by what is counted. */
const STEPS: Readonly<Record<string, string>> = {
  market_created: "listed",
  order_placed: "order rests",
  trade: "traded",
  auction_fill: "traded in an auction",
  external_trade: "cleared from elsewhere",
  position_transferred: "position transferred",
  position_settled: "position settled",
  market_settled: "settled",
  market_removed: "removed",
  liquidation: "liquidated",
  funding_rate: "funded",
};

export class Coverage {
  readonly #counts = new Map<Section, Map<string, number>>();
  readonly #kinds = new Map<string, string>();
  readonly #statuses = new Map<string, string>();

  count(section: Section, name: string): number {
    return this.#counts.get(section)?.get(name) ?? 0;
  }

  section(section: Section): readonly (readonly [string, number])[] {
    const counts = [...(this.#counts.get(section) ?? [])];
    return counts.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #add(section: Section, name: string, times = 1): void {
    const counts = this.#counts.get(section) ?? new Map<string, number>();
    this.#counts.set(section, counts.set(name, (counts.get(name) ?? 0) + times));
  }

  /** Markets as they stand after a block. */
  markets(instruments: readonly Instrument[]): void {
    for (const instrument of instruments) {
      const { symbol, status } = instrument;
      const kind = kindText(instrument);
      this.#kinds.set(symbol, kind);
      if (this.#statuses.get(symbol) === status) continue;
      this.#statuses.set(symbol, status);
      this.#add("life of a contract", `${kind}: ${status}`);
    }
  }

  /** Refused before any block. */
  refusedAtTheDoor(
    sent: Sent,
    { codespace, code }: { readonly codespace: string; readonly code: number },
  ): void {
    this.#add("operation refused", sent.operation);
    this.#add("refusal", `${codespace} ${code}`);
  }

  /** `sent` in the order of the block's transactions; the first result is the oracle's. */
  block(sent: readonly Sent[], { txResults, events }: FinalizeBlockResponse): void {
    const [oracle, ...results] = txResults;
    if (oracle?.code === 0) this.#add("message accepted", "/keel.oracle.v1.MsgOracleUpdate");
    for (const event of oracle?.events ?? []) this.#event(event);
    results.forEach((result, i) => void this.#result(sent[i] as Sent, result));
    for (const event of events) this.#event(event);
  }

  #result(sent: Sent, { code, codespace, events }: ExecTxResult): void {
    if (code === 0) {
      this.#add("operation accepted", sent.operation);
      for (const type of sent.types) this.#add("message accepted", type);
      for (const event of events) this.#event(event);
    } else {
      this.#add("operation refused", sent.operation);
      this.#add("refusal", `${codespace} ${code}`);
    }
  }

  #loss(loss: Loss): void {
    for (const bearer of new Set(bearersOf(loss)))
      this.#add("who bears a loss", `${loss.cause}: ${bearer}`);
  }

  #event({ type, attributes }: WireEvent): void {
    this.#add("event", type);
    const of = (name: string): string => attributes.find(({ key }) => key === name)?.value ?? "";
    if (type === "order_refused") this.#add("refusal", `${of("codespace")} ${of("code")}`);
    if (type === "order_cancelled") this.#add("leaves because", of("reason"));
    if (type === "loss") this.#loss(lossOf({ type, attributes }));
    const step = STEPS[type];
    if (step !== undefined) {
      const kind = this.#kinds.get(of("market")) ?? "new";
      this.#add("life of a contract", `${kind}: ${step}`);
    }
  }
}

/** What it is called here: "liquidation: shared fund". */
function bearersOf(loss: Loss): readonly string[] {
  return loss.lines.slice(1).flatMap((line, index) => {
    const own = line.bearer.startsWith("treasury:") ? ["the protocol's own part"] : [];
    return [layerOf(loss, index + 1, line), ...own];
  });
}

export interface Requirement {
  readonly section: Section;
  readonly name: string;
}

/** What is required and did not occur. */
export function missing(coverage: Coverage, required: readonly Requirement[]): string[] {
  return required
    .filter(({ section, name }) => coverage.count(section, name) === 0)
    .map(({ section, name }) => `${section}: ${name}`);
}

export function coverageText(coverage: Coverage): string {
  const sections: readonly Section[] = [
    "operation accepted",
    "operation refused",
    "message accepted",
    "life of a contract",
    "event",
    "who bears a loss",
    "leaves because",
    "refusal",
  ];
  return sections
    .flatMap((section) => [
      `\n${section}`,
      ...coverage.section(section).map(([name, times]) => `  ${`${times}`.padStart(8)}  ${name}`),
    ])
    .join("\n");
}

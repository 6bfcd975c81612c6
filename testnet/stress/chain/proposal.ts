/** A change of parameters on an exported chain before anyone votes: every tape with it and without. */
import { fromJson, typeNamed } from "@keel/node/app/protobuf-json";
import type { Trader } from "../../bench/trader.ts";
import type { Message } from "../../bench/tx-bytes.ts";
import { type Plan, type TapeResult, tapesOf } from "../plan.ts";
import { openExported, readExport } from "./exported.ts";
import { InputError, readJson } from "./input.ts";
import { play } from "./run.ts";

interface JsonMessage {
  readonly "@type": string;
  readonly [field: string]: unknown;
}

/** A list of messages, or an object with one under `messages`, each with its "@type". */
export function readProposal(file: string): readonly JsonMessage[] {
  const json = readJson(file) as
    | readonly JsonMessage[]
    | { readonly messages?: readonly JsonMessage[] };
  const messages = Array.isArray(json)
    ? (json as readonly JsonMessage[])
    : (json as { readonly messages?: readonly JsonMessage[] }).messages;
  if (!Array.isArray(messages) || messages.length === 0)
    throw new InputError(`${file}: expected a list of messages`);
  for (const one of messages as readonly JsonMessage[])
    if (typeof one["@type"] !== "string" || !("authority" in one))
      throw new InputError(`${file}: expected messages with "@type" and "authority"`);
  return messages;
}

function encoded(file: string, message: JsonMessage, authority: string): Message {
  const { "@type": typeUrl, ...fields } = message;
  try {
    const type = typeNamed(typeUrl.replace(/^\//, ""));
    return { typeUrl, value: type.encode(fromJson(type, { ...fields, authority })).finish() };
  } catch (error) {
    throw new InputError(`${file}: ${typeUrl}: ${(error as Error).message}`);
  }
}

/** Rows `as it is` and `with the proposal`; a proposal that the chain refuses is a failure with the chain's words. */
export async function tryProposal(
  plan: Plan,
  files: { readonly state: string; readonly proposal: string },
  onTape: (tape: TapeResult) => void,
): Promise<TapeResult[]> {
  const document = readExport(files.state);
  const messages = readProposal(files.proposal);
  const results: TapeResult[] = [];
  for (const { tape, seed } of tapesOf(plan)) {
    const broken: string[] = [];
    const rules: Record<string, TapeResult["rules"][string]> = {};
    for (const row of ["as it is", "with the proposal"]) {
      const world = await openExported(document, seed);
      const { address } = world.traders[world.authority] as Trader;
      const proposed =
        row === "as it is" ? [] : messages.map((one) => encoded(files.proposal, one, address));
      world.setTime(world.beginsMs - 2_000);
      const txs = proposed.map((message) => world.send(world.authority, [message]));
      const { txResults } = await world.decide(
        () => world.reports([1, 1], tape.steps[0]?.volatility ?? 0.6),
        txs,
      );
      const refused = txResults.find(({ code }) => code !== 0);
      if (refused !== undefined) {
        broken.push(`the chain refuses the proposal: ${refused.log}`);
        break;
      }
      const outcome = await play(world, { ...plan, seed, tape });
      rules[row] = outcome;
      if (outcome.broken !== null) broken.push(`${row}: ${outcome.broken}`);
    }
    const { name, size, about } = tape;
    const result = {
      name,
      size,
      seed,
      about,
      chain: null,
      variants: {},
      rules,
      alternatives: {},
      broken,
    };
    results.push(result);
    onTape(result);
  }
  return results;
}

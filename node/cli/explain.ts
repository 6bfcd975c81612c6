/** Prints why the protocol did something by itself. */
import type { Quantity } from "@keel/modules/kit/explanation";
import { ConfigError } from "../config/files.ts";
import type { ExplainedView } from "../rpc/methods/explain.ts";
import { askNode, type NodeOptions } from "./ask.ts";

export async function explainCommand(
  height: string,
  event: string | undefined,
  options: NodeOptions,
): Promise<void> {
  for (const [name, value] of [["height", height] as const, ["event", event ?? "0"] as const])
    if (!/^[0-9]{1,15}$/.test(value))
      throw new ConfigError(`${name}: expected a whole number, got "${value.slice(0, 40)}"`);
  const chosen = event === undefined ? "" : `&event=${event}`;
  const answer = (await askNode(options, `/explain?height=${height}${chosen}`)) as {
    readonly events: readonly ExplainedView[];
  };
  const text = answer.events.map((one) => textOf(height, one)).join("\n");
  process.stdout.write(text === "" ? `block ${height}: nothing that asks for a reason\n` : text);
}

function textOf(height: string, { attributes, explanation, index, type }: ExplainedView): string {
  const lines = [
    `block ${height}, event ${index}: ${type}`,
    ...Object.entries(attributes).map(([key, value]) => `  ${key} ${value}`),
  ];
  if (explanation === null) lines.push("  Its attributes say it all.");
  else {
    lines.push(`  Rule: ${explanation.rule}`);
    lines.push("  From:", ...listed(explanation.inputs));
    lines.push("  So:", ...listed(explanation.results));
  }
  return `${lines.join("\n")}\n`;
}

function listed(quantities: readonly Quantity[]): string[] {
  return quantities.map(({ name, unit, value }) => `    ${name} = ${value} ${unit}`.trimEnd());
}

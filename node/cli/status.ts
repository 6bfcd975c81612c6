import { askNode, type NodeOptions } from "./ask.ts";

/** Prints the node's status JSON. */
export async function statusCommand(options: NodeOptions): Promise<void> {
  process.stdout.write(`${JSON.stringify(await askNode(options, "/status"), null, 2)}\n`);
}

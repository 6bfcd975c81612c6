const TIMEOUT_MS = 5_000;

/** Prints the node's status JSON. */
export async function statusCommand(options: { readonly node: string }): Promise<void> {
  let response: Response;
  try {
    response = await fetch(new URL("/status", options.node), {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new Error(
      `no node answers at ${options.node}; start one with "keeld start" or name another with --node`,
    );
  }
  const { result } = (await response.json()) as { result: unknown };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
}

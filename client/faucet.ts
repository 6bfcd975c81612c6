/** Asks a faucet of CosmJS's shape for coins. */
import { KeelConnectionError } from "./errors.ts";
import { CALL_TIMEOUT_MS } from "./limits.ts";

/** Resolves when the faucet has sent (not only queued) the coins; throws KeelConnectionError "faucet" with its words otherwise. */
export async function requestFaucet(url: string, address: string, denom: string): Promise<void> {
  let answer: Response;
  try {
    answer = await fetch(`${url.replace(/\/+$/, "")}/credit`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ denom, address }),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS * 3),
    });
  } catch (error) {
    throw new KeelConnectionError("faucet", `no answer from ${url}`, undefined, error);
  }
  if (answer.ok) return;
  const text = (await answer.text().catch(() => "")).slice(0, 300);
  throw new KeelConnectionError("faucet", `the faucet refused (HTTP ${answer.status}): ${text}`);
}

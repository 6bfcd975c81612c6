import { existsSync, readFileSync } from "node:fs";
import { openFileSigner } from "@keel/consensus/host/signer";
import { parseNodeKey } from "@keel/consensus/net/node-key";
import { bytesToBase64 } from "@keel/proto/bytes/base64";
import { ConfigError, homePaths } from "../config/files.ts";

interface HomeOption {
  readonly home: string;
}

function assertThere(path: string): void {
  if (!existsSync(path)) throw new ConfigError(`${path} is missing; run "keeld init" first`);
}

export function showNodeId({ home }: HomeOption): void {
  const { nodeKey } = homePaths(home);
  assertThere(nodeKey);
  process.stdout.write(`${parseNodeKey(readFileSync(nodeKey, "utf8")).id}\n`);
}

export async function showValidator({ home }: HomeOption): Promise<void> {
  const { validatorKey, validatorState } = homePaths(home);
  assertThere(validatorKey);
  const signer = await openFileSigner({ keyPath: validatorKey, statePath: validatorState });
  process.stdout.write(
    `${JSON.stringify({ "@type": "/cosmos.crypto.ed25519.PubKey", key: bytesToBase64(signer.pubKey) })}\n`,
  );
}

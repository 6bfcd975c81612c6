/** npm run matcher: the reference matcher beside a local network, until Ctrl-C. */
import { KeelSigningClient } from "@keel/client/signing-client";
import { walletFromMnemonic } from "@keel/client/wallet";
import { Command } from "commander";
import { roleWallet } from "../keys/roles.ts";
import { startMatcher } from "./server.ts";

interface Options {
  readonly rpc: string;
  readonly port: string;
  readonly mnemonicEnv?: string;
}

async function run({ rpc, port, mnemonicEnv }: Options): Promise<void> {
  const words = mnemonicEnv === undefined ? undefined : process.env[mnemonicEnv];
  if (mnemonicEnv !== undefined && words === undefined)
    throw new Error(`expected a mnemonic in the environment variable ${mnemonicEnv}`);
  const wallet =
    words === undefined ? await roleWallet("traders") : await walletFromMnemonic(words);
  const client = await KeelSigningClient.connectWithSigner(rpc, wallet.signer, { unordered: true });
  const matcher = await startMatcher({ client, port: Number(port) });
  process.stdout.write(`matcher ${client.address} of ${client.chain.chainId} at ${matcher.url}\n`);
  const stop = (): void => {
    void matcher.stop().then(() => {
      client.disconnect();
      process.exit(0);
    });
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}

const program = new Command("matcher")
  .description(
    "Collects signed order documents over HTTP on loopback, matches them, clears on the chain.",
  )
  .option("--rpc <url>", "a node's RPC address", "http://127.0.0.1:26657")
  .option("--port <number>", "port to listen on", "8100")
  .option(
    "--mnemonic-env <name>",
    "variable with the mnemonic that pays; default: a public test account",
  )
  .action(async (options: Options) => {
    try {
      await run(options);
    } catch (error) {
      process.stderr.write(`matcher: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    }
  });
await program.parseAsync();

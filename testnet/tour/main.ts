/** npm run tour: every order type and everything else a client can do, on a network of its own; exit code 1 when any answer is another than it should be. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { agreementSteps } from "./agreement-steps.ts";
import { auctionSteps } from "./auction-steps.ts";
import { expirySteps, optionPurchases } from "./option-steps.ts";
import { orderSteps } from "./order-steps.ts";
import { portfolioSteps, riskSteps } from "./risk-steps.ts";
import { Steps, stepText } from "./steps.ts";
import { startTourNetwork, type TourNetwork } from "./tour-network.ts";
import { vaultSteps } from "./vault-steps.ts";
import { waitingSteps } from "./waiting-steps.ts";

const program = new Command("tour")
  .description("Does each thing a client can do and compares the chain's answers.")
  .option("--validators <count>", "1 to 7", "4")
  .parse();
const { validators } = program.opts<{ validators: string }>();
if (!/^[1-7]$/.test(validators)) program.error(`--validators: expected 1 to 7, got ${validators}`);

/** Of Alice and Bob each: what each sub-account trades with, in whole units. */
const SUBACCOUNTS: readonly (readonly [number, string])[] = [
  ...[0, 1, 2, 3, 4, 5, 6, 7, 8].map((number) => [number, "200000"] as const),
  [30, "100000"],
  [31, "10000"],
];

async function deposits({ alice, bob }: TourNetwork): Promise<void> {
  for (const client of [alice, bob]) {
    const messages = SUBACCOUNTS.map(([subaccount, amount]) =>
      client.messages.deposit(amount, { subaccount }),
    );
    await client.execute(await Promise.all(messages));
  }
}

async function run(tour: TourNetwork, steps: Steps): Promise<void> {
  await deposits(tour);
  const purchase = await optionPurchases(tour, steps);
  await portfolioSteps(tour, steps);
  await orderSteps(tour, steps);
  await waitingSteps(tour, steps);
  await auctionSteps(tour, steps);
  await agreementSteps(tour, steps);
  await riskSteps(tour, steps);
  await vaultSteps(tour, steps);
  await expirySteps(tour, steps, purchase);
}

const directory = mkdtempSync(join(tmpdir(), "keel-tour-"));
const started = Date.now();
const steps = new Steps((step) => console.log(stepText(step)));
let tour: TourNetwork | null = null;
const stopEarly = async (): Promise<void> => {
  await tour?.stop();
  rmSync(directory, { recursive: true, force: true });
  process.exit(130);
};
const onSignal = (): void => void stopEarly();
process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
try {
  tour = await startTourNetwork(directory, Number(validators));
  console.log(
    `${validators} validators run after ${((Date.now() - started) / 1000).toFixed(1)} s\n`,
  );
  await run(tour, steps);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await tour?.stop();
  rmSync(directory, { recursive: true, force: true });
}
const { all, wrong } = steps;
console.log(
  `\n${all.length} steps in ${((Date.now() - started) / 1000).toFixed(0)} s, ${all.length - wrong.length} as expected, ${wrong.length} not`,
);
if (wrong.length > 0) process.exitCode = 1;

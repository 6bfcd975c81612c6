/** keeld: one validator or follower. */
import { runCli } from "./cli/program.ts";

await runCli(process.argv);

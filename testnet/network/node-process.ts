/** One validator as a process of its own: started, watched, killed. It ends with us, however we end. */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** After this a stopping node is killed. */
const STOP_MS = 12_000;
const LOG_TAIL_BYTES = 2_000;
/** In the home; the node turns it over by itself. */
export const LOG_FILE = "keeld.log";
/** What it says past its log: why it did not start, what ended it. */
const OUTPUT_FILE = "keeld.out";

/** The bundle made by whoever started us, or the source, which our own flags then say how to run. */
export const KEELD: string =
  process.env["KEEL_KEELD"] ?? createRequire(import.meta.url).resolve("@keel/node/main");

export class NodeProcess {
  readonly home: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #execArgv: readonly string[];
  #child: ChildProcess | null = null;
  #exited: Promise<void> = Promise.resolve();

  /** `execArgv`: for the engine, besides our own flags. */
  constructor(
    home: string,
    options: {
      readonly env?: NodeJS.ProcessEnv | undefined;
      readonly execArgv?: readonly string[];
    } = {},
  ) {
    this.home = home;
    this.#env = options.env ?? {};
    this.#execArgv = options.execArgv ?? [];
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  /** `onExit` hears of every end, wanted or not. */
  start(onExit: (code: number | null, signal: string | null) => void = () => undefined): void {
    if (this.#child !== null) throw new Error(`${this.home} is running already`);
    const output = openSync(join(this.home, OUTPUT_FILE), "a");
    const child = spawn(
      process.execPath,
      [
        ...process.execArgv,
        ...this.#execArgv,
        KEELD,
        "start",
        "--home",
        this.home,
        "--stop-with-stdin",
      ],
      {
        // An open pipe to stdin is the leash: the kernel closes it when this process is gone.
        stdio: ["pipe", output, output],
        env: { ...process.env, ...this.#env },
        // Ctrl-C in a terminal reaches the whole group; the network stops its nodes itself, in order.
        detached: true,
      },
    );
    closeSync(output);
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      const ended = (code: number | null, signal: string | null): void => {
        if (this.#child !== child) return;
        this.#child = null;
        onExit(code, signal);
        resolve();
      };
      child.once("exit", ended);
      child.once("error", () => ended(null, null));
    });
  }

  /** SIGTERM, and SIGKILL when that takes too long. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#exited;
  }

  get logFile(): string {
    return join(this.home, LOG_FILE);
  }

  /** The end of the log and of what was said past it, to say why a node stopped. */
  logTail(): string {
    return [this.logFile, join(this.home, OUTPUT_FILE)].map(tailOf).join("");
  }
}

function tailOf(file: string): string {
  try {
    return readFileSync(file, "utf8").slice(-LOG_TAIL_BYTES);
  } catch {
    return "";
  }
}

import { defineConfig, type ViteUserConfig } from "vitest/config";

const skipped = ["**/node_modules/**", "**/dist/**", "**/.keel/**", "**/reports/**"];
const special = ["**/*.prop.test.ts", "**/*.sim.test.ts", "**/*.e2e.test.ts"];
const tidy = ["tidy.test.ts", "tidy/**/*.test.ts"];
const seeded = ["scripts/property-seed.ts"];
const conditions = ["source", "module", "node", "development|production"];

// Groups run one after another: heavy and timing-sensitive projects have the machine to themselves. Unit and property tests share two processes:
// hundreds of files that each started one of their own take far longer, and no test may lean on a module's state being fresh.
const config: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    pool: "forks",
    maxWorkers: 2,
    execArgv: [
      "--conditions=source",
      "--import",
      new URL("scripts/source.mjs", import.meta.url).href,
    ],
    reporters: ["default"],
    // A slow machine is not a failure; what must be quick is measured by benches.
    testTimeout: 90_000,
    hookTimeout: 90_000,
    projects: [
      {
        extends: true,
        test: { name: "tidy", include: tidy, exclude: skipped, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: "unit",
          setupFiles: seeded,
          globalSetup: seeded,
          include: ["**/*.test.ts"],
          exclude: [...skipped, ...special, ...tidy],
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "prop",
          setupFiles: seeded,
          globalSetup: seeded,
          include: ["**/*.prop.test.ts"],
          exclude: skipped,
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "sim",
          setupFiles: seeded,
          globalSetup: seeded,
          include: ["**/*.sim.test.ts"],
          exclude: skipped,
          testTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["**/*.e2e.test.ts"],
          exclude: skipped,
          testTimeout: 180_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});

export default config;

/** How the browser bundle is made; its test makes the same one in memory. */
import type { BuildOptions } from "esbuild";

export const bundleOptions: BuildOptions = {
  entryPoints: ["client/browser.ts"],
  bundle: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  conditions: ["source"],
  minify: true,
  sourcemap: false,
  legalComments: "none",
  logLevel: "warning",
};

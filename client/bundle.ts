/** `npm run bundle`: writes client/dist/keel-client.js, one minified ES module for browsers. */
import { build } from "esbuild";
import { bundleOptions } from "./bundle-options.ts";

await build({
  ...bundleOptions,
  outfile: "client/dist/keel-client.js",
  logLevel: "info",
});

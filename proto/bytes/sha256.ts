/** SHA-256, synchronous everywhere: native under node, @noble/hashes in a browser (see `imports` in package.json). */

export { sha256 } from "#sha256";

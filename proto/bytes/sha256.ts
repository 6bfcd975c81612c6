/**
 * SHA-256, synchronous everywhere: native under node, @noble/hashes in a browser (see `imports` in package.json). `sha256Each` is for
 * many short messages, where calling OpenSSL costs more than the hash.
 */

export { sha256, sha256Each } from "#sha256";

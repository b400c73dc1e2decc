/**
 * `@peculiar/x509`, loaded so that it works: it resolves its parts through
 * decorators and refuses to load before the polyfill that these need.
 */
import "reflect-metadata";
export * from "@peculiar/x509";

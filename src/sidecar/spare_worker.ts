import { programModule } from "../config/program_file.ts";
import type { SocketPool } from "./socket_pool.ts";
import type { WorkerConfig } from "./worker/messages.ts";
import { workerPermissions } from "./worker/permissions.ts";

/**
 * A data-plane worker that loads before there is anything to do for it. What it may reach is
 * fixed when it is made, so that it can be taken only for exactly that.
 */
export class SpareWorker {
  #worker: Worker | undefined;
  readonly #permissions: string;

  constructor(permissions: Deno.PermissionOptionsObject) {
    this.#worker = newWorker(permissions);
    this.#permissions = JSON.stringify(permissions);
  }

  /** The worker, once, if it has exactly these permissions; else it is ended. */
  take(permissions: Deno.PermissionOptionsObject): Worker | undefined {
    if (!this.fits(permissions)) this.end();
    const worker = this.#worker;
    this.#worker = undefined;
    return worker;
  }

  /** Whether {@linkcode SpareWorker.take} would hand it out for these. */
  fits(permissions: Deno.PermissionOptionsObject): boolean {
    return this.#worker !== undefined && JSON.stringify(permissions) === this.#permissions;
  }

  /** Ends a worker that nobody has taken. */
  end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}

/** What the worker of a data plane may reach. */
export function planePermissions(
  mappedHosts: readonly string[],
  { connectors, defaultProtected, mayObserve, httpProxy }: WorkerConfig,
  sockets: SocketPool,
): Deno.PermissionOptionsObject {
  return workerPermissions({
    mappedHosts,
    connectors,
    defaultProtected,
    mayObserve,
    httpProxy,
    socketDir: sockets.directory,
    sockets: sockets.paths,
  });
}

/** Makes a worker; `module` is its program. */
export function newWorker(
  permissions: Deno.PermissionOptionsObject,
  module: URL = programModule("src/sidecar/worker/main.ts"),
): Worker {
  return new Worker(module, {
    type: "module",
    name: "firma-data-plane",
    deno: { permissions },
  });
}

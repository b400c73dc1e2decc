/** Modules of Node's, by name. */
interface NodeModules {
  readonly "node:buffer": typeof import("node:buffer");
  readonly "node:crypto": typeof import("node:crypto");
  readonly "node:net": typeof import("node:net");
  readonly "node:url": typeof import("node:url");
}

/** What `node:process` is for, without importing it: an import would load it at once. */
interface NodeProcess {
  getBuiltinModule<N extends keyof NodeModules>(name: N): NodeModules[N];
}

const loaded: Partial<NodeModules> = {};

/**
 * A module of Node's, loaded when somebody first asks for it and not when a program starts: in Deno
 * these take 10 to 50 ms of CPU each, and most starts end without any of them.
 */
export function nodeModule<N extends keyof NodeModules>(name: N): NodeModules[N] {
  const known: NodeModules[N] | undefined = loaded[name];
  if (known !== undefined) return known;
  const { process } = globalThis as unknown as { readonly process: NodeProcess };
  const module = process.getBuiltinModule(name);
  (loaded as Record<string, unknown>)[name] = module;
  return module;
}

/** Whether {@linkcode nodeModule} has been asked for it, so that using it costs nothing more. */
export function isNodeModuleLoaded(name: keyof NodeModules): boolean {
  return loaded[name] !== undefined;
}

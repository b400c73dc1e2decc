/** What a configuration can be for. */
export const MODES = ["agent-local", "agent-remote", "authority"] as const;

/**
 * An agent with an Authority of its own on this machine, an agent under an Authority
 * elsewhere, or an Authority.
 */
export type Mode = typeof MODES[number];

/** What `firma config` has to know; all of it can be asked for and given as a flag. */
export interface Answers {
  readonly mode: Mode;
  /** Absent: chosen from each command. */
  readonly profile: string | undefined;
  readonly agentId: string | undefined;
  /** Absent: policies that are there already are all there are. */
  readonly posture: string | undefined;
  /** Names of packs. */
  readonly mappings: readonly string[];
  /** Hosts that no pack covers and that the agent may talk to. */
  readonly extraHosts: readonly string[];
  /** Where an Authority listens. */
  readonly authorityListen: string | undefined;
  /** Where the Authority of an agent is. */
  readonly authorityUrl: string | undefined;
  readonly authorityCaCert: string | undefined;
  readonly authorityPubKey: string | undefined;
  readonly authorityClientCert: string | undefined;
  readonly authorityClientKey: string | undefined;
}

/** The answers that somebody gave, in contrast to those that nobody did. */
export type Given = ReadonlySet<keyof Answers>;

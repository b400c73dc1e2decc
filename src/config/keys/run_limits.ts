import { key, type Section, section } from "../key.ts";
import { USUAL_PROCESSES } from "./usual_limits.ts";
import { COUNT, DURATION, NUMBER, SIZE } from "../value_type.ts";

const PROCESSES = "How many processes and threads the agent may have at once";
const MEMORY = "How much memory the agent may use: all of its processes with a cgroup, else each";
const CPUS = "How many processors the agent may keep busy; needs a cgroup";
const CPU_TIME = "How long a process of the agent may keep a processor busy before it is ended";
const OPEN_FILES = "How many files a process of the agent may have open";

/** The keys that limits have in `[run]` and in profiles, beside `processes`. */
function others(otherwise: string) {
  return {
    memory: key(SIZE, { about: MEMORY, otherwise, example: "8 GiB", applies: "next run" }),
    cpus: key(NUMBER, { about: CPUS, otherwise, example: 1.5, applies: "next run" }),
    cpu_time: key(DURATION, { about: CPU_TIME, otherwise, example: "1h", applies: "next run" }),
    open_files: key(COUNT, { about: OPEN_FILES, otherwise, example: 4096, applies: "next run" }),
  } as const;
}

const OF_RUN = "that of `[run.limits]`";

/** What a table of limits holds; a limit that is not there is none. */
export interface LimitsTable {
  readonly processes: number | undefined;
  /** Bytes. */
  readonly memory: number | undefined;
  readonly cpus: number | undefined;
  /** Milliseconds. */
  readonly cpu_time: number | undefined;
  readonly open_files: number | undefined;
}

/** `[run.limits]`. */
export const LIMITS: Section<LimitsTable> = section("What an agent may use of the machine", {
  processes: key(COUNT, {
    about: PROCESSES,
    default: USUAL_PROCESSES,
    example: 512,
    applies: "next run",
  }),
  ...others("no limit"),
});

/** `[run.profiles.<id>.limits]`. */
export const PROFILE_LIMITS: Section<LimitsTable> = section(
  "What agents of a profile may use of the machine",
  {
    processes: key(COUNT, {
      about: PROCESSES,
      otherwise: OF_RUN,
      example: 512,
      applies: "next run",
    }),
    ...others(OF_RUN),
  },
);

import { key, section } from "../key.ts";
import { BOOLEAN, COUNT, DURATION, list, NOT_EMPTY, SIZE } from "../value_type.ts";

/** `[run.delete_watch]` */
export const RUN_DELETE_WATCH = section(
  "What the agent deletes and overwrites, and getting it back",
  {
    enabled: key(BOOLEAN, {
      about:
        "Take a snapshot of the workspace before the agent starts, and watch what is lost of it",
      otherwise: "on where the policies hold the posture `dev-with-delete-watch`",
      example: true,
      applies: "next run",
    }),
    exclude: key(list(NOT_EMPTY, "list of names"), {
      about: "Names of directories that no snapshot holds, wherever they lie",
      default: ["node_modules"],
      example: ["node_modules", "target", ".venv"],
      applies: "next run",
    }),
    max_file_size: key(SIZE, {
      about: "Larger files are not protected",
      default: "1 GiB",
      example: "100 MiB",
      applies: "next run",
    }),
    max_total_size: key(SIZE, {
      about: "How much one run may copy; what an earlier snapshot holds does not count",
      default: "10 GiB",
      example: "2 GiB",
      applies: "next run",
    }),
    keep: key(COUNT, {
      about: "How many snapshots of a workspace are kept",
      default: 10,
      example: 3,
      applies: "next run",
    }),
    keep_for: key(DURATION, {
      about: "How long snapshots are kept",
      default: "14d",
      example: "2d",
      applies: "next run",
    }),
  },
);

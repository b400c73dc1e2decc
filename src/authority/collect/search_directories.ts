import type { EventFilter } from "../../audit/search/event_filter.ts";
import { Newest } from "../../audit/search/newest.ts";
import type { Match } from "../../audit/search/read_match.ts";
import { searchFile } from "../../audit/search/search_file.ts";
import { join } from "../../core/path.ts";
import { branchesIn, filesIn } from "./branch_files.ts";
import type { FoundLine } from "./collection.ts";
import { LogDirectory } from "./log_directory.ts";

/** The last lines that fit of all logs below a directory, oldest first. */
export async function searchDirectories(
  directory: string,
  filter: EventFilter,
  limit: number,
): Promise<readonly FoundLine[]> {
  const newest = new Newest<Match & FoundLine>(limit);
  for (const log of logsBelow(directory)) {
    const sidecar = LogDirectory.ownerOf(log);
    if (sidecar === undefined) continue;
    for (const branch of branchesIn(log)) {
      for (const { path } of filesIn(branch.path)) {
        for await (const match of searchFile(path, filter)) newest.add({ ...match, sidecar });
      }
    }
  }
  return newest.list();
}

function logsBelow(directory: string): string[] {
  return [...Deno.readDirSync(directory)].filter(({ isDirectory }) => isDirectory).flatMap(
    ({ name }) =>
      [...Deno.readDirSync(join(directory, name))].map((log) => join(directory, name, log.name)),
  );
}

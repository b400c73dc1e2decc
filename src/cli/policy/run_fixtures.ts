import type { FirmaError } from "../../core/result.ts";
import { type BundleCoverage, coverage } from "../../policy/fixtures/coverage.ts";
import type { Fixture } from "../../policy/fixtures/fixture.ts";
import {
  type CaseResult,
  type FixtureResult,
  judgeCase,
} from "../../policy/fixtures/judge_case.ts";
import { type FixtureFile, readFixtures } from "./fixture_files.ts";
import { type Subject, Subjects } from "./subjects.ts";

/** A fault that kept cases from running, with the text of its file where that is known. */
export interface Fault {
  readonly error: FirmaError;
  readonly source?: string;
}

/** What came of a run. */
export interface FixtureRun {
  readonly ran: readonly FixtureResult[];
  readonly faults: readonly Fault[];
  readonly coverage: readonly BundleCoverage[];
  /** Whether all of it was one `[fixture]` in the form of the reference. */
  readonly single: boolean;
}

/**
 * Runs every case of the fixtures that `paths` name. `onPath` hears of each further
 * file and directory before it is read. Needs `initCedar`.
 */
export async function runFixtures(
  paths: readonly string[],
  onPath: (path: string) => void = () => {},
): Promise<FixtureRun> {
  const files = readFixtures(paths);
  const subjects = new Subjects(onPath);
  if (!files.ok) {
    const faults = files.error.map((error) => ({ error }));
    return { ran: [], faults, coverage: [], single: false };
  }
  const ran: FixtureResult[] = [];
  const faults: Fault[] = [];
  const bySubject = new Map<Subject, FixtureResult[]>();
  for (const file of files.value) {
    const { fixture } = file;
    if (!fixture.ok) {
      faults.push(...fixture.error.map((error) => ({ error, source: file.text })));
      continue;
    }
    const subject = await subjects.get(fixture.value.bundle);
    if (!subject.ok) {
      faults.push(...subject.error.map((error) => ({ error, ...sourceOf(error) })));
      continue;
    }
    const result = await runFixture(file, fixture.value, subject.value, faults);
    ran.push(result);
    bySubject.set(subject.value, [...bySubject.get(subject.value) ?? [], result]);
  }
  return {
    ran,
    faults: distinct(faults),
    coverage: [...bySubject].map(([subject, results]) =>
      coverage(subject.policies.label, subject.policyIds, results)
    ),
    single: files.value.length === 1 && files.value[0]!.fixture.ok &&
      files.value[0]!.fixture.value.single,
  };
}

async function runFixture(
  { file }: FixtureFile,
  fixture: Fixture,
  subject: Subject,
  faults: Fault[],
): Promise<FixtureResult> {
  const results: CaseResult[] = [];
  for (const each of fixture.cases) {
    const started = performance.now();
    const outcome = await subject.decide(each);
    const milliseconds = performance.now() - started;
    if (!outcome.ok) {
      const at = { file, line: each.line };
      faults.push(...outcome.error.map((error) => ({ error: { at, ...error } })));
      continue;
    }
    const failures = judgeCase(each.expected, outcome.value);
    results.push({ case: each, outcome: outcome.value, failures, milliseconds });
  }
  return { file, results };
}

function sourceOf({ at }: FirmaError): { source?: string } {
  try {
    return at === undefined ? {} : { source: Deno.readTextFileSync(at.file) };
  } catch {
    return {};
  }
}

/** Several fixtures may run against the same broken policies. */
function distinct(faults: readonly Fault[]): Fault[] {
  const seen = new Map(faults.map((fault) => {
    const { message, at } = fault.error;
    return [JSON.stringify([message, at]), fault];
  }));
  return [...seen.values()];
}

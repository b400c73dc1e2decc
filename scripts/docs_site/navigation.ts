/** A page of the site. */
export interface PageSource {
  /** The Markdown file, by its path in the project. */
  readonly file: string;
  /** Where the page is in the site. */
  readonly path: string;
  /** What the navigation calls it. */
  readonly name: string;
}

/** A group of pages under a heading of the navigation. */
export interface Section {
  readonly heading: string;
  readonly pages: readonly PageSource[];
}

function section(heading: string, pages: Readonly<Record<string, string>>): Section {
  return {
    heading,
    pages: Object.entries(pages).map(([file, name]) => ({ file, path: sitePath(file), name })),
  };
}

/** Every page in reading order: from what somebody needs first to what is looked up. */
export const SECTIONS: readonly Section[] = [
  section("Start", {
    "README.md": "firma",
    "docs/concepts.md": "Concepts",
    "docs/threat-model.md": "Threat model",
  }),
  section("Guides", {
    "docs/guides/claude-code.md": "Claude Code",
    "docs/guides/codex.md": "Codex",
    "docs/guides/policies.md": "Policies",
    "docs/guides/mappings.md": "Mappings",
    "docs/guides/ci.md": "Continuous integration",
    "docs/guides/audit.md": "The audit trail",
    "docs/guides/commands.md": "What agents execute",
    "docs/guides/approvals.md": "Approvals",
    "docs/guides/credentials.md": "Credentials",
    "docs/guides/federation.md": "Credentials from services",
    "docs/guides/secrets-in-answers.md": "Secrets in answers",
    "docs/guides/restore.md": "Getting files back",
    "docs/guides/limits.md": "Limits",
    "docs/monitor.md": "The monitor",
    "docs/guides/daemon.md": "One Sidecar for many runs",
    "docs/guides/authority.md": "Many agents, one Authority",
    "docs/guides/collect.md": "Collecting audit logs",
    "docs/guides/without-a-sandbox.md": "Without a sandbox",
  }),
  section("Examples", {
    "docs/examples/README.md": "All examples",
    "docs/examples/demos/README.md": "Demos",
    "docs/examples/local-stack/README.md": "A local stack",
    "docs/examples/agents/README.md": "Risky agents",
    "docs/examples/kubernetes/README.md": "Kubernetes",
    "docs/examples/devcontainer/README.md": "Development container",
  }),
  section("Reference", {
    "docs/cli.md": "Command line",
    "docs/configuration.md": "Configuration",
    "docs/packs.md": "Packs",
    "docs/decoders.md": "Decoders",
    "docs/decision-api.md": "Decision API",
    "docs/audit.md": "Audit log",
    "docs/troubleshooting.md": "Troubleshooting",
    "docs/compatibility.md": "Compatibility",
  }),
  section("Project", {
    "docs/comparison.md": "Comparison",
    "docs/architecture.md": "Architecture",
    "docs/dependencies.md": "Dependencies",
    "docs/releasing.md": "Releasing",
    "CONTRIBUTING.md": "Contributing",
    "SECURITY.md": "Security",
    "CHANGELOG.md": "Changes",
  }),
];

/** Where a Markdown file of the project is in the site. */
export function sitePath(file: string): string {
  if (file === "README.md") return "index.html";
  const page = file.replace(/^docs\//, "").replace(/\.md$/, ".html").toLowerCase();
  return page.replace(/\breadme\.html$/, "index.html");
}

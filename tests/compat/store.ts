import { type Finished, Person } from "../fixtures/cli.ts";
import { TestCa } from "../fixtures/test_ca.ts";

const STORE = "secretsmanager.eu-west-1.amazonaws.com";
const SERVICE = "deploy.example.test";

/** A secret as AWS keeps them. */
const VALUES = { username: "deployer", password: "kP9-zzQ1-value-of-the-store" };

/** What became of the value of a secret store that an agent asked for. */
export interface AskedStore extends Finished {
  /** `Authorization` of the calls to where the value may go. */
  readonly shown: readonly string[];
}

/** Whether the value arrived where it may go, and there alone, and the agent saw placeholders. */
export function isKept({ stdout, stderr, shown }: AskedStore): boolean {
  return shown.join() === `Bearer ${VALUES.password}` &&
    Object.values(VALUES).every((value) => !(stdout + stderr).includes(value)) &&
    /^secret \{"username":"fsp_\w+","password":"(fsp_\w+)"\}\ndeployed with \1\n/.test(stdout) &&
    /PlaceholderRefused/.test(stdout) && /"Name": "deploy"/.test(stdout);
}

/**
 * Gets a secret with the `aws` of Debian, uses it where the operator said that it may go, tries to
 * take it elsewhere, and asks the store for something harmless.
 */
const SCRIPT = `
export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=eu-west-1
secret=$(/usr/bin/aws secretsmanager get-secret-value --secret-id deploy --query SecretString --output text)
echo "secret $secret"
password=$(printf %s "$secret" | sed 's/.*"password": *"\\([^"]*\\)".*/\\1/')
curl -sS -H "Authorization: Bearer $password" https://${SERVICE}/
curl -sS -H "Authorization: Bearer $password" https://${STORE}/
/usr/bin/aws secretsmanager list-secrets 2>&1
`;

/** Has an agent ask a stand-in for AWS Secrets Manager by its own program. */
export async function askStore(): Promise<AskedStore> {
  const ca = await TestCa.create();
  const { cert, key } = await ca.issue(STORE, SERVICE);
  const shown: string[] = [];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} },
    (request) => {
      if (new URL(request.url).hostname === SERVICE) {
        shown.push(request.headers.get("authorization") ?? "none");
        return new Response(`deployed with ${VALUES.password}\n`);
      }
      const operation = request.headers.get("x-amz-target")?.split(".")[1];
      const headers = { "content-type": "application/x-amz-json-1.1" };
      if (operation === "ListSecrets") {
        return Response.json({ SecretList: [{ Name: "deploy" }] }, { headers });
      }
      const SecretString = JSON.stringify(VALUES);
      return Response.json({ Name: "deploy", VersionId: "1", SecretString }, { headers });
    },
  );
  await using person = await Person.create();
  const address = `127.0.0.1:${server.addr.port}`;
  await person.configure({
    servers: [STORE, SERVICE].map((host) => ({ host, address, certificate: ca.certificate })),
    rules: [["POST", STORE], ["GET", STORE], ["GET", SERVICE]].map(([method, host]) =>
      `[[rules]]\nhost = "${host}"\nmethod = "${method}"\naction_class = "credential.read"\n`
    ).join(""),
    more: `
[[sidecar.http_secret_providers]]
provider_id = "aws"
host = "${STORE}"
preset = "aws-secrets-manager"
hosts = ["${SERVICE}"]
`,
  });
  return { ...await person.shell(SCRIPT), shown };
}

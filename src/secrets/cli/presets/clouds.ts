import type { StoreProgram } from "../store_command.ts";
import { aboutItself, JSON_WORD, paths, PLAIN_NAME, WORD } from "./names.ts";

// The AWS CLI reads files and URLs that an argument names like that: file://, fileb://, https://.
const AWS_NAME = /^(?!.*:\/\/)[\w/+=.@:-]{1,2048}$/;
const region = { "--region": /^[a-z0-9-]{1,32}$/ };
const secretId = {
  ...region,
  "--secret-id": AWS_NAME,
  "--version-id": WORD,
  "--version-stage": WORD,
};
const parameter = { ...region, "--name": AWS_NAME, "--with-decryption": "flag" } as const;
const GET_SECRET = ["secretsmanager", "get-secret-value"];
const GET_PARAMETER = ["ssm", "get-parameter"];
const OPEN_PARAMETER = ["Name", "Type", "Version", "LastModifiedDate", "ARN", "DataType"];
const asJson = { "--output": JSON_WORD };

/** AWS CLI 1 and 2. */
export const AWS: StoreProgram = {
  sensitive: [
    {
      words: GET_SECRET,
      options: { ...secretId, ...asJson },
      needs: ["--secret-id"],
      output: {
        kind: "json",
        keep: paths("ARN", "Name", "VersionId", "VersionStages.*", "CreatedDate"),
      },
      reads: ["--secret-id"],
    },
    {
      words: GET_SECRET,
      options: { ...secretId, "--query": /^SecretString$/, "--output": /^text$/ },
      needs: ["--secret-id", "--query", "--output"],
      output: { kind: "value" },
      reads: ["--secret-id"],
    },
    {
      words: GET_PARAMETER,
      options: { ...parameter, ...asJson },
      needs: ["--name"],
      output: { kind: "json", keep: paths(...OPEN_PARAMETER.map((name) => `Parameter.${name}`)) },
      reads: ["--name"],
    },
    {
      words: GET_PARAMETER,
      options: { ...parameter, "--query": /^Parameter\.Value$/, "--output": /^text$/ },
      needs: ["--name", "--query", "--output"],
      output: { kind: "value" },
      reads: ["--name"],
    },
  ],
  safe: [
    { words: ["secretsmanager", "list-secrets"], options: { ...region, ...asJson } },
    {
      words: ["secretsmanager", "describe-secret"],
      options: { ...region, ...asJson, "--secret-id": AWS_NAME },
    },
    ...aboutItself("--version", "help"),
  ],
};

const project = { "--project": WORD, "--quiet|-q": "flag" } as const;
const listed = { ...project, "--format": JSON_WORD };
const ofSecret = { ...project, "--secret": WORD };
const ACCESS = ["secrets", "versions", "access"];

/** Google Cloud SDK. */
export const GCLOUD: StoreProgram = {
  sensitive: [{
    words: ACCESS,
    operands: [{ like: WORD }],
    options: ofSecret,
    needs: ["--secret"],
    output: { kind: "value" },
    reads: ["--project", "--secret", 0],
  }],
  safe: [
    { words: ["secrets", "list"], options: listed },
    { words: ["secrets", "describe"], operands: [{ like: WORD }], options: listed },
    { words: ["secrets", "versions", "list"], operands: [{ like: WORD }], options: listed },
    ...aboutItself("--version", "version", "--help"),
  ],
};

const SHOW = ["keyvault", "secret", "show"];
const inVault = { "--vault-name": WORD, "--name|-n": WORD, "--version": WORD };
const inVaultNeeds = ["--vault-name", "--name"];
const inVaultReads = ["--vault-name", "--name"];

/** Azure CLI. */
export const AZURE: StoreProgram = {
  sensitive: [
    {
      words: SHOW,
      options: { ...inVault, "--output|-o": JSON_WORD },
      needs: inVaultNeeds,
      output: { kind: "json", keep: paths("id", "name", "contentType", "attributes.*") },
      reads: inVaultReads,
    },
    {
      words: SHOW,
      options: { ...inVault, "--query": /^value$/, "--output|-o": /^tsv$/ },
      needs: [...inVaultNeeds, "--query", "--output"],
      output: { kind: "value" },
      reads: inVaultReads,
    },
  ],
  safe: [
    {
      words: ["keyvault", "secret", "list"],
      options: { "--vault-name": WORD, "--output|-o": JSON_WORD },
    },
    ...aboutItself("--version", "version", "--help"),
  ],
};

const doppler = { "--project|-p": WORD, "--config|-c": WORD };
const dopplerReads = ["--project", "--config", 0];

/** Doppler CLI 3. */
export const DOPPLER: StoreProgram = {
  sensitive: [
    {
      words: ["secrets", "get"],
      operands: [{ like: PLAIN_NAME }],
      options: { ...doppler, "--plain": "flag" },
      needs: ["--plain"],
      output: { kind: "value" },
      reads: dopplerReads,
    },
    {
      words: ["secrets", "get"],
      operands: [{ like: PLAIN_NAME }],
      options: { ...doppler, "--json": "flag" },
      needs: ["--json"],
      output: { kind: "json", keep: [] },
      reads: dopplerReads,
    },
    {
      words: ["secrets", "download"],
      options: { ...doppler, "--no-file": "flag", "--format": JSON_WORD },
      needs: ["--no-file", "--format"],
      output: { kind: "json", keep: [] },
      reads: dopplerReads,
    },
  ],
  safe: [
    {
      words: ["secrets"],
      options: { ...doppler, "--only-names": "flag" },
      needs: ["--only-names"],
    },
    ...aboutItself("--version", "-v", "--help", "-h"),
  ],
};

// Without slashes: with them, two lookups could go by one name.
const attribute = { like: PLAIN_NAME };
const more = { ...attribute, isOptional: true };

/** secret-tool of libsecret, which opens the keyring of the desktop. */
export const SECRET_TOOL: StoreProgram = {
  sensitive: [{
    words: ["lookup"],
    operands: [attribute, attribute, more, more, more, more],
    output: { kind: "value" },
    reads: [0, 1, 2, 3, 4, 5],
  }],
  safe: [],
};

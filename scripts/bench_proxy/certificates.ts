import { join } from "node:path";

/** A certificate authority and one certificate of it, as PEM files and texts. */
export interface Certificates {
  readonly caFile: string;
  readonly caKeyFile: string;
  readonly caPem: string;
  readonly cert: string;
  readonly key: string;
}

async function openssl(...args: string[]): Promise<void> {
  const { code, stderr } = await new Deno.Command("openssl", { args }).output();
  if (code !== 0) throw new Error(`openssl ${args[0]}: ${new TextDecoder().decode(stderr)}`);
}

/** Makes a certificate authority and a certificate for `host` in `directory`. */
export async function makeCertificates(directory: string, host: string): Promise<Certificates> {
  const file = (name: string) => join(directory, name);
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl(
    ...["req", "-x509", ...curve, "-keyout", file("ca.key"), "-out", file("ca.pem"), "-days", "2"],
    ...["-subj", "/CN=bench", "-addext", "keyUsage=critical,keyCertSign,cRLSign"],
  );
  await openssl(
    ...["req", ...curve, "-keyout", file("leaf.key"), "-out", file("leaf.csr")],
    ...["-subj", `/CN=${host}`],
  );
  await Deno.writeTextFile(file("leaf.ext"), `subjectAltName=DNS:${host}\n`);
  await openssl(
    ...["x509", "-req", "-in", file("leaf.csr"), "-CA", file("ca.pem"), "-CAkey", file("ca.key")],
    ...["-CAcreateserial", "-days", "2", "-extfile", file("leaf.ext"), "-out", file("leaf.pem")],
  );
  return {
    caFile: file("ca.pem"),
    caKeyFile: file("ca.key"),
    caPem: await Deno.readTextFile(file("ca.pem")),
    cert: await Deno.readTextFile(file("leaf.pem")),
    key: await Deno.readTextFile(file("leaf.key")),
  };
}

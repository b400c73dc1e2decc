/** The clients of the table in docs/compatibility.md: programs from Debian and npm, as they are. */
import type { Client } from "./client.ts";

const PYTHON = "/usr/bin/python3";

const URLLIB = `
import sys, urllib.error, urllib.request
try:
    answer = urllib.request.urlopen(sys.argv[1])
except urllib.error.HTTPError as refusal:
    answer = refusal
print(answer.status, answer.read().decode())
`;

const REQUESTS = `
import requests, sys
answer = requests.get(sys.argv[1])
print(answer.status_code, answer.text)
`;

const HTTPX = `
import httpx, sys
with httpx.Client(http2="h2" in sys.argv) as client:
    answer = client.get(sys.argv[1])
print(answer.status_code, answer.http_version, answer.text)
`;

const WEBSOCKETS = `
import asyncio, os, ssl, sys, websockets
async def main():
    context = ssl.create_default_context()
    async with websockets.connect(sys.argv[1], ssl=context) as socket:
        await socket.send("ping")
        print(await socket.recv())
asyncio.run(main())
`;

const FETCH = `
const answer = await fetch(process.argv[2]);
console.log(answer.status, await answer.text());
`;

const UNDICI = `
import { Agent, EnvHttpProxyAgent, request, WebSocket } from "undici";
const [, , url, kind] = process.argv;
const proxied = process.env.HTTPS_PROXY !== undefined;
const options = kind === "h2" ? { allowH2: true } : {};
const dispatcher = proxied ? new EnvHttpProxyAgent(options) : new Agent(options);
if (url.startsWith("wss:")) {
  const socket = new WebSocket(url, { dispatcher });
  socket.onopen = () => socket.send("ping");
  socket.onmessage = ({ data }) => { console.log(data); socket.close(); };
  socket.onerror = ({ message }) => { console.error(message); process.exitCode = 1; };
} else {
  const { statusCode, body } = await request(url, { dispatcher });
  console.log(statusCode, await body.text());
  await dispatcher.close();
}
`;

const NODE_HTTP2 = `
import http2 from "node:http2";
const url = new URL(process.argv[2]);
const session = http2.connect(url.origin);
session.on("error", (error) => { console.error(error); process.exitCode = 1; });
const stream = session.request({ ":path": url.pathname });
let body = "";
stream.setEncoding("utf8");
stream.on("response", (head) => console.log("HTTP/2", head[":status"]));
stream.on("data", (piece) => body += piece);
stream.on("end", () => { console.log(body); session.close(); });
`;

const WS = `
import WebSocket from "ws";
const socket = new WebSocket(process.argv[2]);
socket.on("open", () => socket.send("ping"));
socket.on("message", (data) => { console.log(String(data)); socket.close(); });
socket.on("error", (error) => { console.error(error); process.exitCode = 1; });
`;

const JAVA = `
import java.net.URI;
import java.net.http.*;
import java.net.http.HttpClient.Version;
import java.util.concurrent.*;

public class Get {
  public static void main(String[] words) throws Exception {
    var version = words.length > 1 ? Version.HTTP_2 : Version.HTTP_1_1;
    var client = HttpClient.newBuilder().version(version).build();
    var uri = URI.create(words[0]);
    if (uri.getScheme().equals("wss")) {
      var answer = new CompletableFuture<String>();
      var socket = client.newWebSocketBuilder().buildAsync(uri, new WebSocket.Listener() {
        public CompletionStage<?> onText(WebSocket from, CharSequence text, boolean last) {
          answer.complete(text.toString());
          return null;
        }
      }).get(20, TimeUnit.SECONDS);
      socket.sendText("ping", true);
      System.out.println(answer.get(20, TimeUnit.SECONDS));
      return;
    }
    var answer = client.send(HttpRequest.newBuilder(uri).build(),
        HttpResponse.BodyHandlers.ofString());
    var spoken = answer.version() == Version.HTTP_2 ? "HTTP/2" : "HTTP/1.1";
    System.out.println(answer.statusCode() + " " + spoken + " " + answer.body());
  }
}
`;

const GO = `
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	answer, err := http.Get(os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	body, _ := io.ReadAll(answer.Body)
	fmt.Println(answer.StatusCode, answer.Proto, string(body))
}
`;

const curl = (options: string, url: string) =>
  `curl --silent --show-error ${options} --write-out '%{http_code} HTTP/%{http_version}' '${url}'`;
const wget = (url: string) =>
  `wget --server-response --content-on-error --output-document=- '${url}' 2>&1`;

/** All of them, in the order of the table. */
export const CLIENTS: readonly Client[] = [
  {
    name: "curl",
    version: "curl --version | head -n 1 | cut -d' ' -f2",
    commands: {
      http: ({ plain }) => curl("", plain),
      https: ({ secure }) => curl("--http1.1", secure),
      http2: ({ secure }) => curl("--http2", secure),
      denied: ({ denied }) => curl("", denied),
    },
  },
  {
    name: "wget",
    version: "wget --version | head -n 1 | cut -d' ' -f3",
    commands: {
      http: ({ plain }) => wget(plain),
      https: ({ secure }) => wget(secure),
      denied: ({ denied }) => wget(denied),
    },
  },
  {
    name: "git over HTTPS",
    version: "git --version | cut -d' ' -f3",
    success: /refs\/heads\/main/,
    commands: {
      https: ({ repository }) => `git ls-remote '${repository}' 2>&1`,
      denied: ({ denied }) => `git ls-remote '${denied}' 2>&1`,
    },
  },
  {
    name: "git over SSH",
    version: "git --version | cut -d' ' -f3",
    success: /refs\/heads\/main/,
    commands: {
      // firma rewrites addresses of known code hosts.
      https: ({ repository }) => {
        const { host, pathname } = new URL(repository);
        return `git ls-remote 'git@${host}:${pathname.slice(1)}' 2>&1`;
      },
      denied: () => `git ls-remote 'git@github.com:denied/tool.git' 2>&1`,
    },
  },
  {
    name: "node fetch",
    version: "node --version | tr -d v",
    files: { "fetch.mjs": FETCH, "http2.mjs": NODE_HTTP2 },
    commands: {
      http: ({ plain }) => `node fetch.mjs '${plain}'`,
      https: ({ secure }) => `node fetch.mjs '${secure}'`,
      http2: ({ secure }) => `node http2.mjs '${secure}'`,
      denied: ({ denied }) => `node fetch.mjs '${denied}'`,
    },
  },
  {
    name: "undici",
    npm: ["undici@6.22.0"],
    files: { "undici.mjs": UNDICI },
    commands: {
      http: ({ plain }) => `node undici.mjs '${plain}'`,
      https: ({ secure }) => `node undici.mjs '${secure}'`,
      websocket: ({ echo }) => `node undici.mjs '${echo}'`,
      denied: ({ denied }) => `node undici.mjs '${denied}'`,
    },
  },
  {
    name: "npm",
    version: "npm --version 2>/dev/null",
    commands: {
      https: ({ secure }) => `npm ping --registry='${secure}' 2>&1 && echo hello from /allowed`,
      denied: ({ denied }) => `npm ping --fetch-retries=0 --registry='${denied}' 2>&1`,
    },
  },
  {
    name: "ws for node",
    npm: ["ws@8.18.0"],
    files: { "ws.mjs": WS },
    commands: { websocket: ({ echo }) => `node ws.mjs '${echo}'` },
  },
  {
    name: "python urllib",
    version: `${PYTHON} --version | cut -d' ' -f2`,
    files: { "get_urllib.py": URLLIB },
    commands: {
      http: ({ plain }) => `${PYTHON} get_urllib.py '${plain}'`,
      https: ({ secure }) => `${PYTHON} get_urllib.py '${secure}'`,
      denied: ({ denied }) => `${PYTHON} get_urllib.py '${denied}'`,
    },
  },
  {
    name: "python requests",
    version: `${PYTHON} -c 'import requests; print(requests.__version__)'`,
    files: { "get_requests.py": REQUESTS },
    commands: {
      http: ({ plain }) => `${PYTHON} get_requests.py '${plain}'`,
      https: ({ secure }) => `${PYTHON} get_requests.py '${secure}'`,
      denied: ({ denied }) => `${PYTHON} get_requests.py '${denied}'`,
    },
  },
  {
    name: "python httpx",
    version: `${PYTHON} -c 'import httpx; print(httpx.__version__)'`,
    files: { "get_httpx.py": HTTPX, "echo_websockets.py": WEBSOCKETS },
    commands: {
      http: ({ plain }) => `${PYTHON} get_httpx.py '${plain}'`,
      https: ({ secure }) => `${PYTHON} get_httpx.py '${secure}'`,
      http2: ({ secure }) => `${PYTHON} get_httpx.py '${secure}' h2`,
      websocket: ({ echo }) => `${PYTHON} echo_websockets.py '${echo}'`,
      denied: ({ denied }) => `${PYTHON} get_httpx.py '${denied}'`,
    },
  },
  {
    name: "Java HttpClient",
    version: "java --version | head -n 1 | cut -d' ' -f2",
    files: { "Get.java": JAVA },
    prepare: "javac Get.java",
    commands: {
      http: ({ plain }) => `java Get '${plain}'`,
      https: ({ secure }) => `java Get '${secure}'`,
      http2: ({ secure }) => `java Get '${secure}' h2`,
      websocket: ({ echo }) => `java Get '${echo}'`,
      denied: ({ denied }) => `java Get '${denied}'`,
    },
  },
  {
    name: "Go net/http",
    version: "go version | cut -d' ' -f3 | tr -d go",
    files: { "get.go": GO },
    prepare: "GO111MODULE=off go build -o get get.go",
    commands: {
      http: ({ plain }) => `./get '${plain}'`,
      https: ({ secure }) => `GODEBUG=http2client=0 ./get '${secure}'`,
      http2: ({ secure }) => `./get '${secure}'`,
      denied: ({ denied }) => `./get '${denied}'`,
    },
  },
  {
    name: "gh",
    version: "gh --version | head -n 1 | cut -d' ' -f3",
    commands: {
      https: () => "GH_TOKEN=none gh api allowed",
      denied: () => "GH_TOKEN=none gh api denied 2>&1",
    },
  },
];

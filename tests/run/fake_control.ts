/** Serves the control API of a Sidecar, with canned answers by sandbox id. */
export function startFakeControl(path: string): Deno.HttpServer {
  return Deno.serve({ transport: "unix", path, onListen: () => {} }, async (request) => {
    const body = await request.json();
    const { pathname } = new URL(request.url);
    if (pathname.endsWith("/end")) {
      return body.exit_code === 7 && pathname.includes("/ses_1%2F/")
        ? new Response(null, { status: 204 })
        : new Response(null, { status: 404 });
    }
    switch (body.sandbox_id) {
      case "incomplete":
        return Response.json({ session_id: "ses_1" }, { status: 201 });
      case "problem":
        return Response.json({ code: "NO_TOKEN", detail: "not granted", cure: "ask" }, {
          status: 403,
        });
      case "odd":
        return new Response("<html>", { status: 500 });
      default:
        return Response.json({
          session_id: "ses_1/",
          proxy_socket: "/p.sock",
          ca_certificate: "PEM",
          token_id: "ctok_1",
        }, { status: 201 });
    }
  });
}

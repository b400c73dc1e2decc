/** Where the proxy variables point to, on 127.0.0.1 in the sandbox. */
export const PROXY_PORT = 18080;

/** The ports whose connections are captured whatever address they go to. */
export const CAPTURED_PORTS = [22, 80, 443] as const;

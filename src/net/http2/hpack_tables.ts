/** The constant tables of HPACK (RFC 7541, appendices A and B). */

/** Entries of the static table as `name` or `name=value`; the first one has index 1. */
const STATIC_ENTRIES =
  ":authority | :method=GET | :method=POST | :path=/ | :path=/index.html | :scheme=http | " +
  ":scheme=https | :status=200 | :status=204 | :status=206 | :status=304 | :status=400 | " +
  ":status=404 | :status=500 | accept-charset | accept-encoding=gzip, deflate | " +
  "accept-language | accept-ranges | accept | access-control-allow-origin | age | allow | " +
  "authorization | cache-control | content-disposition | content-encoding | " +
  "content-language | content-length | content-location | content-range | content-type | " +
  "cookie | date | etag | expect | expires | from | host | if-match | if-modified-since | " +
  "if-none-match | if-range | if-unmodified-since | last-modified | link | location | " +
  "max-forwards | proxy-authenticate | proxy-authorization | range | referer | refresh | " +
  "retry-after | server | set-cookie | strict-transport-security | transfer-encoding | " +
  "user-agent | vary | via | www-authenticate";

/** The static table, in order. */
export const STATIC_TABLE: readonly (readonly [name: string, value: string])[] = STATIC_ENTRIES
  .split(" | ").map((entry) => {
    const [name, value] = entry.split("=");
    return [name!, value ?? ""];
  });

/**
 * How many bits the Huffman code of each symbol has, 256 being the end of the string; one
 * character a symbol, in base 36. The code is canonical, so that the lengths say it all.
 */
export const HUFFMAN_CODE_LENGTHS: readonly number[] = [
  ..."dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad677777777777777777777",
  ..."77878djde6f56565666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmo",
  ..."lmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu",
].map((digit) => parseInt(digit, 36));

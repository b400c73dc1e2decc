const MAX_DEPTH = 16;
const MAX_STRING = 65_536;
const MAX_ITEMS = 4_096;

/**
 * Turns any value into one that `canonicalJson` takes, whatever an agent
 * managed to put into it: lone surrogates become U+FFFD, numbers that are not
 * finite become strings, what is too deep or too long is cut and says so. An
 * event that cannot be written would otherwise stop the log, and with it every call.
 * Leaves a value that needs no change as it is.
 */
export function writableJson(value: unknown, depth = 0): unknown {
  switch (typeof value) {
    case "string":
      return value.length > MAX_STRING
        ? `${value.slice(0, MAX_STRING).toWellFormed()}… (${value.length} characters)`
        : value.toWellFormed();
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "boolean":
    case "undefined":
      return value;
    case "object": {
      if (value === null) return null;
      if (depth >= MAX_DEPTH) return "… (nested too deep)";
      if (Array.isArray(value)) {
        const items = Array.from(
          value.slice(0, MAX_ITEMS),
          (item) => item === undefined ? null : writableJson(item, depth + 1),
        );
        if (value.length > MAX_ITEMS) items.push(`… (${value.length} items)`);
        return items;
      }
      return Object.fromEntries(
        Object.entries(value).slice(0, MAX_ITEMS)
          .map(([name, member]) => [name.toWellFormed(), writableJson(member, depth + 1)]),
      );
    }
    default:
      return String(value);
  }
}

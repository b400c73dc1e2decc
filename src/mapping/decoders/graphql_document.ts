import { err, ok, type Result } from "../../core/result.ts";
import { quote } from "../malformed.ts";
import type { Json } from "./json.ts";
import { type Token, tokens } from "./graphql_lexer.ts";

/** A variable in the place of a value. */
export class Variable {
  constructor(readonly name: string) {}
}

/** A value in a document; an enumeration value is its name. */
export type Value =
  | Exclude<Json, object>
  | Variable
  | readonly Value[]
  | ReadonlyMap<string, Value>;

/** A field that an operation asks for at its root, through fragments as well. */
export interface RootField {
  /** Without its alias. */
  readonly name: string;
  readonly arguments: ReadonlyMap<string, Value>;
}

/** An operation of a document. */
export interface GraphqlOperation {
  readonly type: "query" | "mutation" | "subscription";
  readonly name: string | undefined;
  /** Default values; `undefined` for a variable without one. */
  readonly variables: ReadonlyMap<string, Value | undefined>;
  readonly fields: readonly RootField[];
}

type Selection =
  | { readonly kind: "field"; readonly field: RootField }
  | { readonly kind: "fragment"; readonly name: string }
  | { readonly kind: "inline"; readonly selections: readonly Selection[] };

type Draft = Omit<GraphqlOperation, "fields"> & { readonly selections: readonly Selection[] };

const DEEPEST = 64;
const MOST_FIELDS = 500;

class Parser {
  readonly operations: Draft[] = [];
  readonly fragments = new Map<string, readonly Selection[]>();
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#tokens = tokens(source);
  }

  document(): void {
    while (this.#next.kind !== "end") this.#definition();
  }

  get #next(): Token {
    return this.#tokens[this.#at]!;
  }

  #sees(text: string): boolean {
    return this.#next.kind === "punctuator" && this.#next.text === text;
  }

  #skip(text: string): boolean {
    if (!this.#sees(text)) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#skip(text)) throw new SyntaxError(`there is no "${text}" where one must be`);
  }

  #name(): string {
    const token = this.#next;
    if (token.kind !== "name") throw new SyntaxError("there is no name where one must be");
    this.#at++;
    return token.text;
  }

  #keyword(word: string): boolean {
    if (this.#next.kind !== "name" || this.#next.text !== word) return false;
    this.#at++;
    return true;
  }

  #deeper<T>(read: () => T): T {
    if (++this.#depth > DEEPEST) throw new SyntaxError("it is nested too deep");
    const value = read();
    this.#depth--;
    return value;
  }

  #definition(): void {
    if (this.#sees("{")) {
      const selections = this.#selections();
      this.operations.push({ type: "query", name: undefined, variables: new Map(), selections });
      return;
    }
    const word = this.#name();
    if (word === "fragment") return this.#fragment();
    if (word !== "query" && word !== "mutation" && word !== "subscription") {
      throw new SyntaxError(`${quote(word)} begins no operation`);
    }
    const name = this.#next.kind === "name" ? this.#name() : undefined;
    if (this.operations.some((other) => other.name === name)) {
      throw new SyntaxError("two operations have one name");
    }
    const variables = this.#variables();
    this.#directives();
    this.operations.push({ type: word, name, variables, selections: this.#selections() });
  }

  #fragment(): void {
    const name = this.#name();
    if (name === "on") throw new SyntaxError("a fragment has no name");
    if (this.fragments.has(name)) throw new SyntaxError("two fragments have one name");
    if (!this.#keyword("on")) throw new SyntaxError("a fragment has no type");
    this.#name();
    this.#directives();
    this.fragments.set(name, this.#selections());
  }

  #variables(): Map<string, Value | undefined> {
    const variables = new Map<string, Value | undefined>();
    if (!this.#skip("(")) return variables;
    do {
      this.#expect("$");
      const name = this.#name();
      if (variables.has(name)) throw new SyntaxError("a variable is defined twice");
      this.#expect(":");
      this.#deeper(() => this.#type());
      variables.set(name, this.#skip("=") ? this.#value() : undefined);
      this.#directives();
    } while (!this.#skip(")"));
    return variables;
  }

  #type(): void {
    if (this.#skip("[")) {
      this.#deeper(() => this.#type());
      this.#expect("]");
    } else {
      this.#name();
    }
    this.#skip("!");
  }

  #directives(): void {
    while (this.#skip("@")) {
      this.#name();
      this.#arguments();
    }
  }

  #arguments(): Map<string, Value> {
    const values = new Map<string, Value>();
    if (!this.#skip("(")) return values;
    do this.#pair(values); while (!this.#skip(")"));
    return values;
  }

  #pair(values: Map<string, Value>): void {
    const name = this.#name();
    if (values.has(name)) throw new SyntaxError("an argument is there twice");
    this.#expect(":");
    values.set(name, this.#value());
  }

  #value(): Value {
    return this.#deeper(() => this.#plainValue());
  }

  #plainValue(): Value {
    if (this.#skip("$")) return new Variable(this.#name());
    if (this.#skip("[")) {
      const list: Value[] = [];
      while (!this.#skip("]")) list.push(this.#value());
      return list;
    }
    if (this.#skip("{")) {
      const object = new Map<string, Value>();
      while (!this.#skip("}")) this.#pair(object);
      return object;
    }
    const { kind, text } = this.#next;
    if (kind === "punctuator" || kind === "end") {
      throw new SyntaxError("there is no value where one must be");
    }
    this.#at++;
    if (kind === "string") return text;
    if (kind === "number") return Number(text);
    return text === "true" ? true : text === "false" ? false : text === "null" ? null : text;
  }

  #selections(): Selection[] {
    return this.#deeper(() => {
      this.#expect("{");
      const selections: Selection[] = [];
      do selections.push(this.#selection()); while (!this.#skip("}"));
      return selections;
    });
  }

  #selection(): Selection {
    if (this.#skip("...")) {
      const named = this.#next.kind === "name" && this.#next.text !== "on";
      if (named) {
        const name = this.#name();
        this.#directives();
        return { kind: "fragment", name };
      }
      if (this.#keyword("on")) this.#name();
      this.#directives();
      return { kind: "inline", selections: this.#selections() };
    }
    const first = this.#name();
    const name = this.#skip(":") ? this.#name() : first;
    const values = this.#arguments();
    this.#directives();
    if (this.#sees("{")) this.#selections();
    return { kind: "field", field: { name, arguments: values } };
  }
}

function rootFields(
  selections: readonly Selection[],
  fragments: ReadonlyMap<string, readonly Selection[]>,
  trail: readonly string[],
  found: RootField[],
): void {
  for (const selection of selections) {
    if (selection.kind === "field") {
      if (found.push(selection.field) > MOST_FIELDS) throw new SyntaxError("it asks for too much");
    } else if (selection.kind === "inline") {
      rootFields(selection.selections, fragments, trail, found);
    } else {
      const { name } = selection;
      const inner = fragments.get(name);
      if (inner === undefined) throw new SyntaxError("it names a fragment that is not there");
      if (trail.includes(name)) throw new SyntaxError("a fragment contains itself");
      rootFields(inner, fragments, [...trail, name], found);
    }
  }
}

/**
 * Reads the operations of a GraphQL document, all of them, whichever is asked for.
 * Directives such as `@skip` change nothing: what may be skipped counts.
 */
export function parseGraphql(source: string): Result<readonly GraphqlOperation[], string> {
  try {
    const parser = new Parser(source);
    parser.document();
    const operations = parser.operations.map(({ selections, ...operation }) => {
      const fields: RootField[] = [];
      rootFields(selections, parser.fragments, [], fields);
      return { ...operation, fields };
    });
    if (operations.length === 0) return err("it has no operation");
    const anonymous = operations.some(({ name }) => name === undefined);
    if (anonymous && operations.length > 1) return err("of several operations one has no name");
    return ok(operations);
  } catch (error) {
    return err(error instanceof SyntaxError ? error.message : "it is not GraphQL");
  }
}

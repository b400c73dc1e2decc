/** Decodes the Huffman code of HPACK (RFC 7541, 5.2), four bits at a time. */
import { HUFFMAN_CODE_LENGTHS } from "./hpack_tables.ts";

const END_OF_STRING = 256;

/** A node of the code tree: its children, or the symbol that it stands for. */
interface Node {
  readonly children: [Node | undefined, Node | undefined];
  symbol?: number;
  /** Its number as a state, for nodes that are no symbols. */
  state: number;
}

function buildTree(): Node {
  const root: Node = { children: [undefined, undefined], state: 0 };
  const symbols = HUFFMAN_CODE_LENGTHS.map((_, symbol) => symbol).sort((a, b) =>
    HUFFMAN_CODE_LENGTHS[a]! - HUFFMAN_CODE_LENGTHS[b]! || a - b
  );
  let code = 0;
  let before = 0;
  for (const symbol of symbols) {
    const length = HUFFMAN_CODE_LENGTHS[symbol]!;
    code *= 2 ** (length - before);
    before = length;
    let node = root;
    for (let bit = length - 1; bit >= 0; bit--) {
      const side = Math.floor(code / 2 ** bit) % 2 as 0 | 1;
      node = node.children[side] ??= { children: [undefined, undefined], state: -1 };
    }
    node.symbol = symbol;
    code++;
  }
  return root;
}

const NO_SYMBOL = 0x100;
const INVALID = -1;

/** For each state and four bits: the next state, and the symbol that was completed. */
const transitions: number[] = [];
/** Whether a string may end in a state: after less than a byte of ones (RFC 7541, 5.2). */
const accepting: boolean[] = [];

function buildTables(): void {
  const root = buildTree();
  const states: Node[] = [root];
  for (let i = 0; i < states.length; i++) {
    for (const child of states[i]!.children) {
      if (child !== undefined && child.symbol === undefined) {
        child.state = states.length;
        states.push(child);
      }
    }
  }
  for (const start of states) {
    for (let bits = 0; bits < 16; bits++) transitions.push(walk(root, start, bits));
  }
  let node: Node | undefined = root;
  for (let ones = 0; ones < 8 && node?.symbol === undefined; ones++) {
    accepting[node!.state] = true;
    node = node!.children[1];
  }
}

function walk(root: Node, start: Node, bits: number): number {
  let node = start;
  let symbol = NO_SYMBOL;
  for (let bit = 3; bit >= 0; bit--) {
    node = node.children[(bits >> bit & 1) as 0 | 1]!;
    if (node.symbol === undefined) continue;
    if (node.symbol === END_OF_STRING) return INVALID;
    symbol = node.symbol;
    node = root;
  }
  return node.state << 9 | symbol;
}

buildTables();

/** The text, one character a byte; `undefined` when it is not well-formed. */
export function decodeHuffman(bytes: Uint8Array): string | undefined {
  let text = "";
  let state = 0;
  for (let i = 0; i < bytes.length * 2; i++) {
    const byte = bytes[i >> 1]!;
    const next = transitions[state * 16 + (i % 2 === 0 ? byte >> 4 : byte & 15)]!;
    if (next === INVALID) return undefined;
    const symbol = next & 0x1ff;
    if (symbol !== NO_SYMBOL) text += String.fromCharCode(symbol);
    state = next >> 9;
  }
  return accepting[state] === true ? text : undefined;
}

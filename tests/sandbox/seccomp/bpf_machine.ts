/** Runs a compiled filter as the kernel does: classic BPF over `struct seccomp_data`. */
import { type CallData, type Verdict, verdictOf } from "../../../src/sandbox/seccomp/decide.ts";

/** What the filter answers; throws where the kernel would not have taken the program. */
export function runFilter(filter: Uint8Array<ArrayBuffer>, call: CallData): Verdict {
  const data = new DataView(new ArrayBuffer(64));
  data.setInt32(0, call.number, true);
  data.setUint32(4, call.architecture, true);
  call.args.slice(0, 6).forEach((value, index) => data.setBigUint64(16 + 8 * index, value, true));
  const program = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  let accumulator = 0;
  for (let at = 0; at * 8 < filter.length; at++) {
    const code = program.getUint16(at * 8, true);
    const operand = program.getUint32(at * 8 + 4, true);
    const jump = (condition: boolean) => {
      at += program.getUint8(at * 8 + (condition ? 2 : 3));
    };
    if (code === 0x20) accumulator = data.getUint32(operand, true);
    else if (code === 0x15) jump(accumulator === operand);
    else if (code === 0x35) jump(accumulator >= operand);
    else if (code === 0x45) jump((accumulator & operand) !== 0);
    else if (code === 0x06) {
      const verdict = verdictOf(operand);
      if (verdict === undefined) throw new Error(`unknown answer ${operand}`);
      return verdict;
    } else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error("the filter has no end");
}

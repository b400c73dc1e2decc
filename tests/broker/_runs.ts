/** Whether a process is there, and no zombie that nobody has looked at yet. */
export function runs(pid: number): boolean {
  try {
    return !/^State:\s+[XZ]/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

import { runOnProcess } from '../../command-line/process-context.ts';

/** The program `qualinet-bridge` on this process; sets the exit code. */
export async function main(): Promise<void> {
  await runOnProcess(async () => (await import('./command-table.ts')).qualinetBridge);
}

/** Exit codes of both programs. Source: the table "exit codes" of the fixed surface; sysexits.h for 64 and above. */
export const exitCode = {
  done: 0,
  flowFailed: 1,
  checkFailed: 1,
  usage: 64,
  unavailable: 69,
  internal: 70,
  temporary: 75,
  credentialsRefused: 77,
  notReady: 78,
  interrupted: 130,
  terminated: 143,
} as const;

/** What each exit code means, in the words `--help` and the docs print. */
export const exitCodeMeaning: Readonly<Record<number, string>> = {
  [exitCode.done]: 'done or drained',
  [exitCode.flowFailed]: 'the flow failed (doctor: a check failed)',
  [exitCode.usage]: 'the command line or the flow file is wrong',
  [exitCode.unavailable]: 'the API, or a server the bridge needs, cannot be reached',
  [exitCode.internal]: 'an internal error',
  [exitCode.temporary]: 'a temporary failure; try again',
  [exitCode.credentialsRefused]: 'credentials refused, expired or revoked; pair again',
  [exitCode.notReady]: 'not paired, or configuration, credential file or browser missing',
  [exitCode.interrupted]: 'interrupted by Ctrl-C (a runner or a bridge: by a second one)',
  [exitCode.terminated]: 'ended by SIGTERM (a runner or a bridge: by a second one)',
};

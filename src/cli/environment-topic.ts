import { agentSettings } from '../agent/config/agent-config.ts';
import type { Setting } from '../agent/config/setting.ts';
import { appearanceRows, type EnvironmentRow, environmentHelp } from '../command-line/help.ts';

/** What is read besides the settings: the place of everything else. */
const otherRows: readonly EnvironmentRow[] = [
  {
    variables: ['QUALINET_HOME'],
    summary: 'Folder of credentials, spool, status and browsers (default: ~/.qualinet)',
  },
];

/** `qualinet help environment`, made from the settings themselves. */
export function environmentTopic(): string {
  return environmentHelp(
    'Variables that qualinet reads. An option, in brackets, stands over its variable; a variable set to nothing counts as not set.',
    [
      ...Object.values<Setting>(agentSettings).filter(({ variables }) => variables.length > 0),
      ...otherRows,
      ...appearanceRows,
    ],
  );
}

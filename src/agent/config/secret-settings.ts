import { Secret } from '../../lib/secret.ts';
import { type Environment, setting } from './setting.ts';
import { optionalText } from './values.ts';

/** Variables of flows that stay on this machine. */
export const secretSettings = {
  secretsFile: setting({
    variables: ['QUALINET_SECRETS'],
    flag: '--secrets',
    summary: 'File with the secrets of this machine, `{ "PW": "…" }`; only its owner may read it',
    value: optionalText,
  }),
  /** Where systemd puts what `LoadCredential=` names. */
  credentialsFolder: setting({
    variables: ['CREDENTIALS_DIRECTORY'],
    summary: 'Set by systemd: its files `qualinet.var.NAME` and `qualinet.secrets` are secrets',
    value: optionalText,
  }),
};

const prefix = 'QUALINET_VAR_';

/** A secret from the environment, not checked yet. */
export interface SecretVariable {
  /** `QUALINET_VAR_PW`, for messages. */
  readonly variable: string;
  /** `PW`. */
  readonly name: string;
  readonly value: Secret;
}

/** Every `QUALINET_VAR_NAME` that is set; set to nothing counts as not set. */
export function secretVariables(env: Environment): readonly SecretVariable[] {
  return Object.entries(env).flatMap(([variable, value]) =>
    variable.startsWith(prefix) && value !== undefined && value !== ''
      ? [{ variable, name: variable.slice(prefix.length), value: new Secret(value) }]
      : [],
  );
}

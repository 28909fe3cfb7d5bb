import {
  BridgeUnavailableError,
  EnvironmentError,
  errorText,
  RefusedError,
  UsageError,
} from '../../lib/errors.ts';
import { type Problem, problemSchema } from '../../protocol/problem.ts';
import {
  type RequestOf,
  type ResponseOf,
  type Route,
  type RouteName,
  routePath,
  routes,
} from '../../protocol/routes.ts';
import type { Connection } from './connection.ts';

/** Longest an answer may take; nothing an operator asks for takes long. */
const timeoutMs = 30_000;

/** One call of the operators' API. Throws an error that says what to do for everything but a 200 answer. */
export async function callBridge<Name extends RouteName>(
  { url, token }: Connection,
  name: Name,
  input: { params?: Readonly<Record<string, string>>; body?: RequestOf<Name> } = {},
): Promise<ResponseOf<Name>> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url + routePath(name, input.params), {
      method: routes[name].method,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        authorization: `Bearer ${token.reveal()}`,
        ...(input.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(input.body === undefined ? {} : { body: JSON.stringify(input.body) }),
    });
    text = await response.text();
  } catch (error) {
    throw new BridgeUnavailableError(`the bridge at ${url} cannot be reached: ${errorText(error)}`, {
      hint: 'Is it running? Start it with: qualinet-bridge serve',
      cause: error,
    });
  }
  const body = parsed(text);
  const schema = (routes[name] as Route).response;
  const answer = response.status === 200 && typeof schema !== 'string' ? schema.safeParse(body) : null;
  if (answer?.success === true) return answer.data as ResponseOf<Name>;
  const problem = problemSchema.safeParse(body);
  if (problem.success) throw refusal(problem.data);
  throw new BridgeUnavailableError(`${url} answered ${response.status} and is no bridge`, {
    hint: 'Check the address.',
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal({ code, title, detail, errors = [] }: Problem): Error {
  const message = detail === undefined ? title : `${title}: ${detail}`;
  const problems = errors.map((fault) =>
    code === 'flow_invalid' ? fault.message : `${fault.path}: ${fault.message}`,
  );
  if (code === 'token_refused') {
    return new EnvironmentError(message, { hint: "Set QUALINET_ADMIN_TOKEN to the bridge's token." });
  }
  if (['not_found', 'malformed_request', 'flow_invalid', 'body_too_large'].includes(code)) {
    return new UsageError(message, { problems });
  }
  return new RefusedError(code, message, { problems });
}

import type * as z from 'zod';
import type { ResponseOf, RouteAuth, RouteName, Routes } from '../../protocol/routes.ts';
import type { RunnerCaller } from '../runners/runner-keys.ts';

/** What a handler gets: everything is checked, nothing is raw but `query` text and `bytes` of a presigned PUT. */
interface HandlerInput<Name extends RouteName> {
  body: SchemaOutput<Routes[Name], 'request'>;
  query: SchemaOutput<Routes[Name], 'query'>;
  params: ParamsOf<Routes[Name]['path']>;
  caller: CallerOf<Routes[Name]['auth']>;
  /** Address of the peer. */
  ip: string;
  /** Aborted when the peer has gone before its answer. */
  gone: AbortSignal;
  raw: RawParts;
}

/** Parts of the request as they came, for the few routes whose input is no JSON. */
interface RawParts {
  query: URLSearchParams;
  contentType: string | undefined;
  lastEventId: string | undefined;
  traceParent: string | undefined;
  bytes: Uint8Array;
}

/** Answers one route. Throws ProblemError for every other answer than 200. */
type Handler<Name extends RouteName> = (input: HandlerInput<Name>) => Promise<AnswerOf<Name>>;

/** Exactly one handler for each route of the table. */
export type Handlers = { [Name in RouteName]: Handler<Name> };

/** A handler's 200 answer: the JSON body, or what the route's kind of answer needs. */
type AnswerOf<Name extends RouteName> = Routes[Name]['response'] extends 'events'
  ? EventStream
  : Routes[Name]['response'] extends 'bytes' | 'text'
    ? Content
    : ResponseOf<Name>;

/** A body that is no JSON of ours. */
export interface Content {
  contentType: string;
  bytes: Uint8Array;
  cacheControl?: string;
}

/** Messages for text/event-stream until they end or the peer goes; null answers 204: there is nothing more, do not come back. */
export type EventStream = ((signal: AbortSignal) => AsyncIterable<StreamMessage>) | null;

export interface StreamMessage {
  event?: string;
  id?: string;
  data: unknown;
}

/** Who sent the request, as its `auth` proves it. */
type CallerOf<Auth extends RouteAuth> = Auth extends 'runner'
  ? RunnerCaller
  : Auth extends 'enrol'
    ? { runnerId: string }
    : null;

type SchemaOutput<R, Key extends string> = R extends { [K in Key]: infer Schema extends z.ZodType }
  ? z.output<Schema>
  : undefined;

type ParamsOf<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? { [K in Name]: string } & ParamsOf<Rest>
  : Path extends `${string}:${infer Name}`
    ? { [K in Name]: string }
    : Path extends `${string}*`
      ? { '*': string }
      : unknown;

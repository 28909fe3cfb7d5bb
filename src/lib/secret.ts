import { inspect } from 'node:util';

/**
 * A value that cannot be printed: every way of turning it into text gives `<redacted>`.
 * Call {@link Secret.reveal} at the one place that needs the value.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself; never log, store or send what this returns except where it is meant to go. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '<redacted>';
  }

  toJSON(): string {
    return '<redacted>';
  }

  [inspect.custom](): string {
    return '<redacted>';
  }
}

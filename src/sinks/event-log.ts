/** What a sink needs of a log: the facts, then the name of the event. Any Logger is one. */
export interface EventLog {
  debug(facts: object, event: string): void;
  info(facts: object, event: string): void;
  warn(facts: object, event: string): void;
  error(facts: object, event: string): void;
}

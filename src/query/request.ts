/** A value for a `?` of the query: bound, never written into its text. */
export type QueryParameter = string | number | boolean | null;

export interface QueryRequest {
  /** One SELECT. */
  readonly sql: string;
  /** For each `?` of it, in order. */
  readonly parameters: readonly QueryParameter[];
  /** Rows at most. */
  readonly maxRows: number;
  /** Then it is ended. */
  readonly timeoutMs: number;
}

export interface QueryColumn {
  readonly name: string;
  /** As the engine calls it. */
  readonly type: string;
}

export interface QueryAnswer {
  readonly columns: readonly QueryColumn[];
  /**
   * Values fit for JSON: times as RFC 3339 in UTC, whole numbers beyond 2^53 and decimals of an engine's own kinds as
   * text, bytes as base64.
   */
  readonly rows: readonly (readonly unknown[])[];
  /** There were more rows than `maxRows`. */
  readonly truncated: boolean;
  readonly elapsedMs: number;
}

/** Rows of an answer: unless asked for, and at most. */
export const ROWS = { default: 1000, most: 10_000 };
/** Bytes of an answer as JSON. */
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** Of a query that comes by the API, as of every text in a body. */
export const MAX_SQL_CHARACTERS = 4096;
export const MAX_PARAMETERS = 100;

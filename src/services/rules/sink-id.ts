/** Id under which the outbox keeps what the rules have not seen yet. No sink may have it. */
export const RULES_SINK_ID = 'rules';

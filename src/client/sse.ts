/** One event of a text/event-stream, or only the place that was reached (no `data`). */
export interface SseMessage {
  readonly event: string;
  readonly id?: string;
  readonly data?: string;
}

/** Events of a text/event-stream as its bytes come (WHATWG HTML, 9.2.6). */
export async function* parseSse(body: ReadableStream<Uint8Array>): AsyncGenerator<SseMessage> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      let end = text.indexOf('\n\n');
      while (end >= 0) {
        yield parseMessage(text.slice(0, end));
        text = text.slice(end + 2);
        end = text.indexOf('\n\n');
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function parseMessage(block: string): SseMessage {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).replace(/^ /, '');
    fields.set(name, name === 'data' && fields.has(name) ? `${fields.get(name)}\n${value}` : value);
  }
  const id = fields.get('id');
  const data = fields.get('data');
  return {
    event: fields.get('event') ?? 'message',
    ...(id === undefined ? {} : { id }),
    ...(data === undefined ? {} : { data }),
  };
}

// The status page: asks the public API once a second and shows what it says. Every text goes in as text, never as HTML.
const REFRESH_MS = 1000;
const REQUEST_TIMEOUT_MS = 4000;
const BAD_STATES = new Set(['rejected', 'quarantined', 'stalled', 'backoff']);

const streams = document.getElementById('streams');
const sinks = document.getElementById('sinks');
const summary = document.getElementById('summary');
const template = document.getElementById('stream');
const cards = new Map();

async function getJson(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

function cardFor(id) {
  let card = cards.get(id);
  if (card !== undefined) return card;
  const article = template.content.cloneNode(true).firstElementChild;
  const part = (name) => article.querySelector(`[data-${name}]`);
  article.id = `stream-${id}`;
  part('id').textContent = id;
  const picture = part('picture');
  picture.addEventListener('load', () => {
    picture.hidden = false;
    part('no-picture').hidden = true;
  });
  card = { article, part, sequence: undefined };
  cards.set(id, card);
  streams.append(article);
  return card;
}

function number(value, digits = 1) {
  return value === undefined || value === null ? '–' : value.toFixed(digits);
}

function showStream(stream) {
  const { article, part } = cardFor(stream.id);
  const { status } = stream;
  const kind = status.state === 'live' ? 'live' : BAD_STATES.has(status.state) ? 'bad' : 'wait';
  article.dataset.state = status.state;
  part('state').textContent = status.state;
  part('state').dataset.kind = kind;
  part('reason').hidden = status.reason === undefined || kind === 'live';
  part('reason').textContent = status.reason
    ? `${status.reason.code}: ${status.reason.message}`
    : '';
  part('decoded').textContent = `${number(status.fps.decoded)} fps`;
  part('inferred').textContent = `${number(status.fps.inferred)} fps`;
  part('latency').textContent = `${number(status.latencyMs?.p50, 0)} ms`;
  part('skipped').textContent = String(status.counters.framesSkipped);
  const { accelerator } = status;
  part('accelerator').textContent =
    accelerator?.executionProvider.replace(/ExecutionProvider$/, '') ?? '–';
  part('accelerator').dataset.kind = accelerator?.degraded ? 'wait' : '';
  part('accelerator').title = accelerator?.fallbackReason ?? '';
  part('objects').replaceChildren(
    ...Object.entries(status.objectsLastSecond).map(([label, count]) => {
      const chip = document.createElement('span');
      chip.textContent = `${label} ${count}`;
      return chip;
    }),
  );
  if (status.counters.imagesReceived === 0) return;
  const picture = part('picture');
  picture.alt = `Latest picture of ${stream.id} with its objects`;
  const source = `/v1/streams/${encodeURIComponent(stream.id)}/snapshot.svg?v=${status.counters.imagesReceived}`;
  if (picture.getAttribute('src') !== source) picture.setAttribute('src', source);
}

function showSinks(list) {
  sinks.replaceChildren(
    ...list.map((sink) => {
      const row = document.createElement('tr');
      const error =
        sink.lastError === undefined ? '' : `${sink.lastError.code}: ${sink.lastError.message}`;
      for (const text of [
        sink.id,
        sink.state,
        sink.pending,
        sink.delivered,
        sink.deadLettered,
        sink.shed,
        error,
      ]) {
        row.insertCell().textContent = String(text);
      }
      return row;
    }),
  );
}

async function refresh() {
  try {
    const [streamPage, sinkPage] = await Promise.all([
      getJson('/v1/streams'),
      getJson('/v1/sinks'),
    ]);
    const seen = new Set(streamPage.items.map((stream) => stream.id));
    for (const [id, card] of cards) {
      if (seen.has(id)) continue;
      card.article.remove();
      cards.delete(id);
    }
    for (const stream of streamPage.items) showStream(stream);
    showSinks(sinkPage.items);
    const live = streamPage.items.filter((stream) => stream.status.state === 'live').length;
    summary.textContent = `${live} of ${streamPage.items.length} streams live · ${new Date().toLocaleTimeString()}`;
  } catch (error) {
    summary.textContent = `No answer from the server: ${error.message}`;
  } finally {
    setTimeout(refresh, REFRESH_MS);
  }
}

void refresh();

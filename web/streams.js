// One card for each stream.
const BAD_STATES = new Set(['rejected', 'quarantined', 'stalled', 'backoff']);
const OFF_STATES = new Set(['disabled', 'stopped']);

const streams = document.getElementById('streams');
const template = document.getElementById('stream');
const cards = new Map();

function cardFor(client, id, say) {
  const known = cards.get(id);
  if (known !== undefined) return known;
  const article = template.content.cloneNode(true).firstElementChild;
  const part = (name) => article.querySelector(`[data-${name}]`);
  article.id = `stream-${id}`;
  part('id').textContent = id;
  const picture = part('picture');
  picture.addEventListener('load', () => {
    picture.hidden = false;
    part('no-picture').hidden = true;
  });
  const act = (name, work) =>
    part(name).addEventListener('click', () => work().catch((error) => say(error.message)));
  act('remove', async () => {
    if (confirm(`Remove the stream ${id}?`)) await client.streams.remove(id);
  });
  act('toggle', async () => {
    const enabled = article.dataset.state === 'disabled';
    await client.streams.update(id, () => ({ enabled }));
  });
  const card = { article, part };
  cards.set(id, card);
  streams.append(article);
  return card;
}

export function removeCards(seen) {
  for (const [id, { article }] of cards) {
    if (seen.has(id)) continue;
    article.remove();
    cards.delete(id);
  }
}

function number(value, digits = 1) {
  return value === undefined || value === null ? '–' : value.toFixed(digits);
}

function chip(text, kind = '', title = '') {
  const element = document.createElement('span');
  element.textContent = text;
  element.dataset.kind = kind;
  element.title = title;
  return element;
}

const MB = 1e6;

function recordedOf({ recordedBytes, framesUnrecorded }) {
  const missed = framesUnrecorded > 0 ? `, ${framesUnrecorded} frames missed` : '';
  return `${number(recordedBytes / MB)} MB${missed}`;
}

function reasonOf({ reason, retryAt }) {
  if (reason === undefined) return '';
  const seconds = retryAt === undefined ? 0 : (Date.parse(retryAt) - Date.now()) / 1000;
  const next = seconds > 0 ? ` Next try in ${Math.ceil(seconds)} s.` : '';
  return `${reason.code}: ${reason.message}${next}`;
}

export function showStream(client, stream, say) {
  const { article, part } = cardFor(client, stream.id, say);
  const { status } = stream;
  const { state } = status;
  const kind =
    state === 'live' ? 'live' : BAD_STATES.has(state) ? 'bad' : OFF_STATES.has(state) ? 'off' : '';
  article.dataset.state = state;
  part('state').textContent = state;
  part('state').dataset.kind = kind;
  part('flapping').hidden = !status.flapping;
  part('toggle').textContent = state === 'disabled' ? 'Enable' : 'Disable';
  const reason = kind === 'live' ? '' : reasonOf(status);
  part('reason').hidden = reason === '';
  part('reason').textContent = reason;
  part('decoded').textContent = `${number(status.fps.decoded)} fps`;
  part('inferred').textContent = `${number(status.fps.inferred)} fps`;
  part('latency').textContent = `${number(status.latencyMs?.p50, 0)} ms`;
  part('skipped').textContent = String(status.counters.framesSkipped);
  part('reconnects').textContent = String(status.counters.reconnects);
  part('restarts').textContent = String(status.counters.workerRestarts);
  const { recordedBytes } = status.counters;
  part('recording').hidden = recordedBytes === undefined;
  if (recordedBytes !== undefined) part('recorded').textContent = recordedOf(status.counters);
  const { accelerator } = status;
  part('accelerator').textContent =
    accelerator?.executionProvider.replace(/ExecutionProvider$/, '') ?? '–';
  part('accelerator').dataset.kind = accelerator?.degraded ? 'wait' : '';
  part('accelerator').title = accelerator?.fallbackReason ?? '';
  part('conditions').replaceChildren(
    ...status.conditions
      .filter(({ reason: why }) => why !== 'NotAsked')
      .map(({ type, status: is, reason: why, message, since }) =>
        chip(type, is, `${why}: ${message} (since ${new Date(since).toLocaleTimeString()})`),
      ),
  );
  part('objects').replaceChildren(
    ...Object.entries(status.objectsLastSecond).map(([label, count]) => chip(`${label} ${count}`)),
  );
  if (status.counters.imagesReceived === 0) return;
  const picture = part('picture');
  picture.alt = `Latest picture of ${stream.id} with its objects`;
  const source = `/v1/streams/${encodeURIComponent(stream.id)}/snapshot.svg?v=${status.counters.imagesReceived}`;
  if (picture.getAttribute('src') !== source) picture.setAttribute('src', source);
}

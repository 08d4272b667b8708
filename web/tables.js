// The tables below the streams, and the bar of what the box has left.
const MIB = 1024 * 1024;

function row(...cells) {
  const element = document.createElement('tr');
  for (const cell of cells) {
    const place = element.insertCell();
    if (cell instanceof Node) place.append(cell);
    else place.textContent = String(cell);
  }
  return element;
}

function fill(id, rows) {
  document.getElementById(id).replaceChildren(...rows);
}

const time = (text) => (text === undefined ? '–' : new Date(text).toLocaleTimeString());
const sum = (values) => values.reduce((total, value) => total + (value ?? 0), 0);

/** The newest incidents of a pipeline as links to their archives. */
const incidentLinks = new Map();

async function readIncidents(client, id, count) {
  incidentLinks.set(id, { count, links: incidentLinks.get(id)?.links ?? [] });
  const { items } = await client.pipelines.incidents(id, { limit: 3 });
  const links = items.map(({ n, kind, message }) => {
    const link = document.createElement('a');
    link.href = client.pipelines.incidentArchive(id, n);
    link.textContent = `${kind} #${n}`;
    link.title = message;
    return link;
  });
  incidentLinks.set(id, { count, links });
}

function incidentsOf(client, { id, status }) {
  if (status.incidents === 0) return '0';
  if (incidentLinks.get(id)?.count !== status.incidents) {
    readIncidents(client, id, status.incidents).catch(() => incidentLinks.delete(id));
  }
  const place = document.createElement('span');
  place.className = 'incidents';
  place.append(`${status.incidents}`, ...(incidentLinks.get(id)?.links ?? []));
  return place;
}

export function showPipelines(client, list) {
  fill(
    'pipelines',
    list.map((pipeline) => {
      const { id, generation, status } = pipeline;
      const { workers, states, observedGeneration, reason } = status;
      const applied =
        observedGeneration === generation ? generation : `${observedGeneration} → ${generation}`;
      const exit = workers.find(({ lastExit }) => lastExit !== undefined)?.lastExit;
      const element = row(
        id,
        Object.entries(states)
          .map(([state, count]) => `${count} ${state}`)
          .join(', '),
        applied,
        workers.map(({ lane = 'main', state }) => `${lane} ${state}`).join(', ') || '–',
        sum(workers.map(({ cpu }) => cpu)).toFixed(2),
        `${(sum(workers.map(({ rssBytes }) => rssBytes)) / MIB).toFixed(0)} MiB`,
        sum(workers.map(({ restarts }) => restarts)),
        exit === undefined ? '–' : `${time(exit.at)} ${exit.message}`,
        incidentsOf(client, pipeline),
      );
      element.title = reason === undefined ? '' : `${reason.code}: ${reason.message}`;
      return element;
    }),
  );
}

export function showCameras(list) {
  document.getElementById('cameras-section').hidden = list.length === 0;
  fill(
    'cameras',
    list.map(({ id, spec, status }) => {
      const reachable = status.conditions.find(({ type }) => type === 'Reachable');
      const streams = status.streams.map((stream) => `${stream.id} ${stream.state}`).join(', ');
      return row(
        ...[id, spec.name ?? '', time(status.lastHeartbeatAt)],
        ...[reachable === undefined ? '–' : reachable.message, streams],
      );
    }),
  );
}

const STATE_KINDS = { ok: 'live', paused: 'off', closed: 'off' };

function button(text, work, say) {
  const element = document.createElement('button');
  element.textContent = text;
  element.dataset.act = text.toLowerCase();
  element.addEventListener('click', () => work().catch((error) => say(error.message)));
  return element;
}

function part(name, ...content) {
  const element = document.createElement(name);
  element.append(...content);
  return element;
}

/** What can be done about the sink now. */
function actionsOf(client, { id, state, pauseReason, source }, say) {
  const actions = part('span');
  actions.className = 'actions';
  if (source === 'gone') return actions;
  const { sinks } = client;
  if (state === 'paused' && pauseReason === 'operator') {
    actions.append(button('Resume', () => sinks.resume(id), say));
  } else {
    if (state !== 'ok') actions.append(button('Retry', () => sinks.resume(id), say));
    actions.append(button('Pause', () => sinks.pause(id), say));
  }
  return actions;
}

/** Dead letters so far, and what can be done about those that are kept. */
function lettersOf(client, { id, deadLettered }, say) {
  const place = part('span', String(deadLettered));
  if (deadLettered === 0) return place;
  place.className = 'actions';
  const { deadLetters } = client;
  const purge = async () => {
    if (confirm(`Throw all dead letters of ${id} away?`)) await deadLetters.purge({ sinkId: id });
  };
  place.append(button('Resend', () => deadLetters.retry({ sinkId: id }), say));
  place.append(button('Purge', purge, say));
  return place;
}

function stateOf({ state, circuit, pauseReason }) {
  const chip = part('span', state);
  chip.className = 'state';
  chip.dataset.kind = STATE_KINDS[state] ?? 'bad';
  chip.title = [circuit && `circuit ${circuit}`, pauseReason].filter(Boolean).join(', ');
  return chip;
}

export function showSinks(client, list, say) {
  // Under the pointer a row stays: a click that has begun must end on the same button.
  if (document.querySelector('#sinks button:active') !== null) return;
  fill(
    'sinks',
    list.map((sink) => {
      const { id, pending, oldestAgeMs, circuit, delivered, filtered, shed, lastError } = sink;
      const error = lastError === undefined ? '' : `${lastError.code}: ${lastError.message}`;
      const age = pending === 0 ? '–' : `${(oldestAgeMs / 1000).toFixed(0)} s`;
      const element = row(
        ...[id, stateOf(sink), circuit ?? '–', pending, age, delivered, filtered],
        ...[lettersOf(client, sink, say), shed, error, actionsOf(client, sink, say)],
      );
      element.id = `sink-${id}`;
      return element;
    }),
  );
}

export function showCapacity(capacity) {
  const place = document.getElementById('capacity');
  place.hidden = capacity === undefined;
  if (capacity === undefined) return;
  const meter = place.querySelector('meter');
  meter.max = capacity.cores;
  meter.high = capacity.limit;
  meter.value = capacity.used;
  place.querySelector('span').textContent =
    `${capacity.used.toFixed(1)} of ${capacity.limit.toFixed(1)} cores`;
}

// The status page: asks the public API once a second and shows what it says. Every text goes in as text, never as HTML.
import { SightlineClient } from '/client.js';
import { showEvents } from './events.js';
import { showFleet } from './fleet.js';
import { showRuleEvents } from './rules.js';
import { removeCards, showStream } from './streams.js';
import { showCameras, showCapacity, showPipelines, showSinks } from './tables.js';

const REFRESH_MS = 1000;
const client = new SightlineClient({ timeoutMs: 4000, retries: 0 });
const summary = document.getElementById('summary');
const form = document.getElementById('add');

async function allOf(list) {
  const items = [];
  for await (const item of list) items.push(item);
  return items;
}

async function refresh() {
  try {
    const [streams, pipelines, cameras, sinks] = await Promise.all([
      allOf(client.streams.all()),
      allOf(client.pipelines.all()),
      allOf(client.cameras.all()),
      client.sinks.list(),
    ]);
    removeCards(new Set(streams.map(({ id }) => id)));
    for (const stream of streams) showStream(client, stream, say);
    showPipelines(client, pipelines);
    showCameras(cameras);
    showSinks(client, sinks.items, say);
    await showRuleEvents(client);
    await showFleet(client);
    const live = streams.filter(({ status }) => status.state === 'live').length;
    summary.textContent = `${live} of ${streams.length} streams live · ${new Date().toLocaleTimeString()}`;
    showCapacity(await client.capacity().catch(() => undefined));
  } catch (error) {
    summary.textContent = `No answer from the server: ${error.message}`;
  } finally {
    setTimeout(refresh, REFRESH_MS);
  }
}

/** What came of the last thing a person did. */
function say(text) {
  form.querySelector('output').textContent = text;
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { id, url, username, password } = Object.fromEntries(new FormData(form));
  const credentials = { ...(username && { username }), ...(password && { password }) };
  try {
    await client.streams.create({ id, source: { type: 'rtsp', url, ...credentials } });
    form.reset();
    say('');
  } catch (error) {
    say(error.message);
  }
});

void refresh();
void showEvents(client);

// The newest events, as they happen.
const KEPT = 100;
const HIDDEN = new Set(['id', 'time', 'type']);

const list = document.getElementById('events');

function add(time, type, text) {
  const line = document.createElement('li');
  const when = document.createElement('time');
  when.dateTime = time;
  when.textContent = new Date(time).toLocaleTimeString();
  const what = document.createElement('b');
  what.textContent = type;
  line.append(when, ' ', what, ' ', text);
  list.prepend(line);
  while (list.children.length > KEPT) list.lastElementChild.remove();
}

function factsOf(event) {
  return Object.entries(event)
    .filter(([name]) => !HIDDEN.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(' ');
}

/** Goes on over breaks of the line, for as long as the page is open. */
export async function showEvents(client) {
  const onConnection = (open) => list.classList.toggle('lost', !open);
  for await (const event of client.events({ onConnection })) {
    add(event.time, event.type, factsOf(event));
  }
}

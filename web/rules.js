// What the rules found last: shown where the server has rules.
const SHOWN = 20;

function cells(event) {
  const { time, rule, severity, streamId, type, kind, objects, count, durationMs } = event;
  const what = objects.map(({ class: label, id }) => (id === '' ? label : `${label} ${id}`));
  const many = count === undefined || count === objects.length ? '' : `${count}: `;
  const state = type === 'rule.fired' ? kind : `${kind} ${type.slice('rule.'.length)}`;
  const lasted = `${(durationMs / 1000).toFixed(1)} s`;
  const when = new Date(time).toLocaleTimeString();
  return [when, rule, severity, streamId, state, many + what.slice(0, 5).join(', '), lasted];
}

function row(event) {
  const element = document.createElement('tr');
  element.dataset.severity = event.severity;
  element.title = event.description ?? '';
  for (const text of cells(event)) element.insertCell().textContent = text;
  return element;
}

export async function showRuleEvents(client) {
  const rules = await client.rules();
  document.getElementById('rules-section').hidden = rules.length === 0;
  if (rules.length === 0) return;
  const { items } = await client.ruleEvents.page({ limit: SHOWN });
  document.getElementById('rule-events').replaceChildren(...items.map(row));
}

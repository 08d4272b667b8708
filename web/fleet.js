// The boxes of the fleet: shown where the server is in one.
let isMember = true;

function row({ id, state, streams, used, capacity, detector }, { node, leader }) {
  const element = document.createElement('tr');
  const role = [
    detector ? 'server' : 'receiver',
    id === leader && 'assigner',
    id === node && 'here',
  ];
  const cores = `${used.toFixed(1)} of ${capacity.toFixed(1)}`;
  for (const text of [id, '', streams, cores, role.filter(Boolean).join(', ')]) {
    element.insertCell().textContent = String(text);
  }
  const chip = document.createElement('span');
  chip.className = 'state';
  chip.dataset.kind = state === 'held' ? 'live' : 'off';
  chip.textContent = state === 'held' ? 'ok' : 'gone';
  element.cells[1].append(chip);
  return element;
}

function stateOf({ held, trouble, leader }) {
  const lines = [
    held ? '' : 'This server cannot prove its lease: it takes no output of shared streams',
    trouble === undefined ? '' : `${trouble.code}: ${trouble.message}`,
    leader === undefined ? 'Nobody assigns streams now' : '',
  ];
  return lines.filter((line) => line !== '').join('. ');
}

export async function showFleet(client) {
  if (!isMember) return;
  const place = document.getElementById('fleet-state');
  try {
    const fleet = await client.fleet();
    document
      .getElementById('fleet')
      .replaceChildren(...fleet.nodes.map((node) => row(node, fleet)));
    place.textContent = stateOf(fleet);
  } catch (error) {
    isMember = error.code !== 'SL_NOT_FOUND';
    if (!isMember) return;
    place.textContent = `The fleet's store does not answer: ${error.message}`;
  }
  place.className = place.textContent === '' ? '' : 'reason';
  document.getElementById('fleet-section').hidden = false;
}

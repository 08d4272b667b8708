// apt in a Dockerfile: fresh lists, nothing but what is named, no lists left behind, names that exist.
import { BUILD, DEEPSTREAM, RUN } from '../setup/system-packages.mjs';

/** Set-up downloads a package itself. */
const RUNS_SETUP = /\bnpm run setup\b/;

/** Names that a build of these Dockerfiles was seen to find: on Debian 12, and on Ubuntu 24.04. */
const KNOWN = new Set([...RUN, ...BUILD, ...DEEPSTREAM].map(([name]) => name));

/** Packages that one `apt-get install` of a shell text names. */
export function installedPackages(text) {
  return [...text.matchAll(/apt-get\s+install\s+([^&;|]*)/g)].flatMap(([, words]) =>
    words.split(/\s+/).filter((word) => word !== '' && !word.startsWith('-')),
  );
}

export function aptProblems(stage) {
  return stage.instructions
    .filter(
      ({ keyword, text }) =>
        keyword === 'RUN' && (RUNS_SETUP.test(text) || /\bapt(?:-get)?\b/.test(text)),
    )
    .flatMap(({ line, text }) => textProblems(text).map((problem) => ({ line, ...problem })));
}

function textProblems(text) {
  const problems = [];
  const add = (rule, message) => problems.push({ rule, message });
  if (/\bapt\s+(?:install|update)/.test(text)) {
    add('apt-get', 'apt is for people: its interface changes; use apt-get');
  }
  const installs = /apt-get\s+install/.test(text);
  if (installs && !/apt-get\s+update/.test(text)) {
    add('apt-update', 'apt-get install without update in the same RUN uses old lists');
  }
  if (!installs && /apt-get\s+update/.test(text) && !RUNS_SETUP.test(text)) {
    add('apt-update', 'apt-get update alone is kept as a layer and grows old');
  }
  if (installs && !/\s-y\b|--yes\b/.test(text)) add('apt-yes', 'apt-get install would ask: add -y');
  if (installs && !/--no-install-recommends/.test(text)) {
    add('apt-recommends', 'apt-get install brings recommended packages, too');
  }
  if (installs && !/rm -rf \/var\/lib\/apt\/lists\/\*/.test(text)) {
    add('apt-lists', 'The lists of apt stay in the layer');
  }
  if (RUNS_SETUP.test(text) && !/apt-get\s+update/.test(text)) {
    add(
      'apt-update',
      'Set-up downloads a package: without update in the same RUN its lists are old',
    );
  }
  for (const name of installedPackages(text)) {
    if (!KNOWN.has(name)) {
      add('apt-package', `${name} is not in scripts/setup/system-packages.mjs: does it exist?`);
    }
  }
  return problems;
}

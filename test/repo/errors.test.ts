import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ERROR_CODES } from '../../src/common/errors.ts';
import { ROOT } from '../../src/common/paths.ts';

interface Row {
  readonly status: number;
  readonly retryable: boolean;
  readonly fault: string;
  readonly meaning: string;
  readonly remedy: string;
}

/** The rows of the tables of docs/errors.md, by code. */
function documented(): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>();
  for (const line of readFileSync(join(ROOT, 'docs', 'errors.md'), 'utf8').split('\n')) {
    const [, code, status, retry, fault, meaning, remedy] = line
      .split('|')
      .map((cell) => cell.trim());
    const name = /^`(SL_[A-Z_]+)`$/.exec(code ?? '')?.[1];
    if (name === undefined) continue;
    assert.ok(!rows.has(name), `docs/errors.md lists ${name} twice`);
    rows.set(name, {
      status: Number(status),
      retryable: retry === 'yes',
      fault: fault ?? '',
      meaning: meaning ?? '',
      remedy: remedy ?? '',
    });
  }
  return rows;
}

test('docs/errors.md lists every code and no other', () => {
  assert.deepEqual([...documented().keys()].sort(), Object.keys(ERROR_CODES).sort());
});

test('docs/errors.md states the status, the retry and the fault of the catalogue', () => {
  for (const [code, row] of documented()) {
    const { status, retryable, fault } = row;
    const entry = ERROR_CODES[code as keyof typeof ERROR_CODES];
    assert.deepEqual({ code, status, retryable, fault }, { code, ...entry });
  }
});

test('docs/errors.md says for every code what it means and what to do', () => {
  for (const [code, { meaning, remedy }] of documented()) {
    assert.match(meaning, /^[A-Z].*\.$/, code);
    assert.match(remedy, /^(?:[A-Z]|`).*\.$/, code);
  }
});

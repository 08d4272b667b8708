import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { Type } from 'typebox';
import { loadDocument, parseDocument } from '../../src/common/document.ts';
import { type Problem, SightlineError } from '../../src/common/errors.ts';
import {
  defaulted,
  idString,
  oneOf,
  secretString,
  strictObject,
  tagged,
} from '../../src/common/schema.ts';

const Camera = strictObject({
  type: Type.Literal('camera'),
  url: Type.String({ pattern: '^rtsps?://', description: 'an rtsp:// or rtsps:// URL' }),
  password: Type.Optional(secretString()),
  transport: defaulted(oneOf(['tcp', 'udp']), 'tcp'),
});
const Clip = strictObject({ type: Type.Literal('clip'), path: Type.String({ minLength: 1 }) });
const Sample = strictObject({
  id: idString(),
  source: tagged('type', [Camera, Clip]),
  interval: defaulted(Type.Integer({ minimum: 0, maximum: 100 }), 3),
  labels: defaulted(Type.Array(Type.String(), { maxItems: 3, uniqueItems: true }), []),
  extra: defaulted(strictObject({ level: defaulted(Type.Number(), 0.5) }), {} as { level: number }),
});

function problemsOf(text: string, env: Record<string, string> = {}): readonly Problem[] {
  try {
    parseDocument(text, Sample, { file: 's.yaml', env });
  } catch (error) {
    assert.ok(error instanceof SightlineError);
    assert.equal(error.code, 'SL_SPEC_INVALID');
    return error.problems;
  }
  assert.fail('parseDocument() accepted the text');
}

function lines(problems: readonly Problem[]): string[] {
  return problems.map((p) => `${p.line}:${p.column} ${p.pointer} ${p.message}`);
}

test('parseDocument() gives the value with every default, nested ones too', () => {
  const text = 'id: dock\nsource: { type: camera, url: rtsp://h/x }\n';
  assert.deepEqual(parseDocument(text, Sample).value, {
    id: 'dock',
    source: { type: 'camera', url: 'rtsp://h/x', transport: 'tcp' },
    interval: 3,
    labels: [],
    extra: { level: 0.5 },
  });
});

test('parseDocument() reads JSON with tabs', () => {
  const text = '{\n\t"id": "a",\n\t"source": {"type": "clip", "path": "x"}\n}';
  assert.equal(parseDocument(text, Sample).value.id, 'a');
});

test('parseDocument() reports all problems at once with exact positions', () => {
  const text = [
    'id: Dock One',
    'source:',
    '  type: camera',
    '  url: http://h/x',
    '  transprot: udp',
    'interval: "4"',
    'labels: [a, a, 5]',
    'intervall: 1',
  ].join('\n');
  assert.deepEqual(lines(problemsOf(text)), [
    '1:5 /id is not well formed (Lower-case letters, digits, - and _; starts with a letter or digit; at most 63), not "Dock One"',
    '4:8 /source/url is not well formed (an rtsp:// or rtsps:// URL), not "http://h/x"',
    '5:3 /source/transprot unknown key "transprot"; did you mean "transport"?',
    '6:11 /interval must be a whole number, not "4"',
    '7:13 /labels/1 is in the list twice',
    '7:16 /labels/2 must be a string, not 5',
    '8:1 /intervall unknown key "intervall"',
  ]);
});

test('parseDocument() reports only the named variant of a tagged union', () => {
  assert.deepEqual(lines(problemsOf('id: a\nsource: { type: clip, url: "rtsp://h" }\n')), [
    '2:9 /source "path" is missing',
    '2:23 /source/url unknown key "url"',
  ]);
  assert.deepEqual(lines(problemsOf('id: a\nsource: { type: camra }\n')), [
    '2:17 /source/type must be one of "camera", "clip", not "camra"; did you mean "camera"?',
  ]);
  assert.deepEqual(lines(problemsOf('id: a\nsource: { url: x }\n')), [
    '2:9 /source "type" is missing: one of "camera", "clip"',
  ]);
  assert.deepEqual(lines(problemsOf('id: a\nsource: [1]\n')), [
    '2:9 /source must be an object with "type", not a list',
  ]);
});

const WRONG_TYPES: readonly [string, string][] = [
  ['interval: 1e400', '/interval must be a whole number, not Infinity'],
  ['interval: .nan', '/interval must be a whole number, not NaN'],
  ['interval: 1.5', '/interval must be a whole number, not 1.5'],
  ['interval: true', '/interval must be a whole number, not true'],
  ['interval:', '/interval must be a whole number, not empty (null)'],
  ['interval: -1', '/interval must be >= 0, not -1'],
  ['interval: {}', '/interval must be a whole number, not an object'],
  ['labels: x', '/labels must be a list, not a string'],
  ['labels: [a, b, c, d]', '/labels must have at most 3 items, has 4'],
  ['extra: 5', '/extra must be an object, not a number'],
  ['__proto__: { id: b }', '/__proto__ unknown key "__proto__"'],
  ['constructor: 1', '/constructor unknown key "constructor"'],
];
for (const [line, expected] of WRONG_TYPES) {
  test(`parseDocument() refuses "${line}"`, () => {
    const text = `id: a\nsource: { type: clip, path: x }\n${line}\n`;
    const found = problemsOf(text).map((p) => `${p.pointer} ${p.message}`);
    assert.deepEqual(found, [expected]);
    assert.equal(Object.hasOwn({}, 'id'), false);
  });
}

const BAD_SYNTAX: readonly [string, string, string][] = [
  ['a duplicate key', 'id: a\nid: b', '2:1  the key is there twice'],
  ['a duplicate JSON key', '{"id": "a",\n "id": "b"}', '2:2  the key is there twice'],
  [
    'a code tag',
    'id: !!js/function x',
    '1:5  Unresolved tag: tag:yaml.org,2002:js/function (tags are not allowed)',
  ],
  [
    'a second document',
    'id: a\n---\nid: b',
    '2:1  has a second document (---); only one is allowed',
  ],
  ['YAML 1.1', '%YAML 1.1\n---\nid: yes', '1:1  must be YAML 1.2, not 1.1'],
  [
    'an unclosed list',
    'id: [1',
    '1:7  Flow sequence in block collection must be sufficiently indented and end with a ]',
  ],
  [
    'an unknown anchor',
    'id: *x',
    '1:1  Unresolved alias (the anchor must be set before the alias): x',
  ],
  ['deep nesting', '['.repeat(20_000), '1:65  is nested more than 64 levels deep'],
];
for (const [name, text, expected] of BAD_SYNTAX) {
  test(`parseDocument() refuses ${name}`, () => {
    assert.equal(lines(problemsOf(text))[0], expected);
  });
}

test('parseDocument() refuses an alias bomb quickly', () => {
  const rows = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i <= 9; i++)
    rows.push(
      `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    );
  const [problem] = problemsOf(rows.join('\n'));
  assert.match(problem!.message, /Excessive alias count/);
});

test('parseDocument() refuses an empty document', () => {
  assert.deepEqual(lines(problemsOf('# nothing\n')), ['1:1  must be an object, not empty (null)']);
});

test('parseDocument() fills in variables as text that is never read again', () => {
  const env = { HOST: `h"]\n# \${OTHER}`, OTHER: 'no' };
  const text = `id: a\nsource: { type: clip, path: "x/\${HOST}/$\${OTHER}" }\n`;
  const { source } = parseDocument(text, Sample, { env }).value;
  assert.deepEqual(source, { type: 'clip', path: `x/h"]\n# \${OTHER}/\${OTHER}` });
});

test('parseDocument() reports missing and malformed variables, and nothing else about them', () => {
  const text = `id: a\nsource: { type: camera, url: "\${CAM_URL}", password: "\${1x}" }\n`;
  assert.deepEqual(lines(problemsOf(text)), [
    '2:30 /source/url the environment variable CAM_URL is not set',
    `2:54 /source/password has a "\${" that is not \${NAME}; write $\${ for the text "\${"`,
  ]);
});

test('parseDocument() never quotes what came from the environment or is secret', () => {
  const text = `id: "\${ID}"\nsource: { type: camera, url: "http://u:hunter2@h/", password: [hunter2] }\n`;
  const shown = JSON.stringify(problemsOf(text, { ID: 'HUNTER2' }));
  assert.doesNotMatch(shown, /hunter2/i);
  assert.match(shown, /http:\/\/\[redacted\]@h/);
});

test('locate() gives later problems their place', () => {
  const text = 'id: a\nsource: &s\n  type: clip\n  path: x\nlabels: [one, two]\n';
  const document = parseDocument(text, Sample, { file: 's.yaml' });
  assert.deepEqual(document.locate([{ pointer: '/labels/1', message: 'm' }]), [
    { pointer: '/labels/1', message: 'm', line: 5, column: 15 },
  ]);
  assert.deepEqual(document.locate([{ pointer: '/source/nowhere', message: 'm' }]), [
    { pointer: '/source/nowhere', message: 'm', line: 3, column: 3 },
  ]);
});

test('loadDocument() says why a file cannot be read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-document-'));
  try {
    const cases: [string, RegExp][] = [
      [join(folder, 'none.yaml'), /Cannot read .*none\.yaml: there is no such file/],
      [folder, /it is a folder/],
      ['/dev/zero', /it is no regular file/],
      [join(folder, 'big.yaml'), /it has 1048577 bytes, 1048576 are allowed/],
      [join(folder, 'latin.yaml'), /it is not UTF-8 text/],
    ];
    await writeFile(join(folder, 'big.yaml'), '#'.repeat(1024 * 1024 + 1));
    await writeFile(join(folder, 'latin.yaml'), Buffer.from('id: caf\xe9\n', 'latin1'));
    for (const [file, message] of cases) {
      await assert.rejects(loadDocument(file, Sample, { code: 'SL_CONFIG_INVALID' }), (error) => {
        assert.ok(error instanceof SightlineError);
        assert.equal(error.code, 'SL_CONFIG_INVALID');
        assert.match(error.message, message);
        return true;
      });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CPU_CODECS } from '../../src/pipeline/backends/cpu-codecs.ts';
import { CPU_ELEMENTS } from '../../src/services/doctor/elements.ts';
import { checkClock, checkDataDir, checkPort } from '../../src/services/doctor/machine.ts';
import { checkModels, checkSqlite } from '../../src/services/doctor/parts.ts';
import { examine, type Finding, runDoctor } from '../../src/services/doctor.ts';
import { temporaryFolder } from '../support/server.ts';

function of(findings: readonly Finding[], check: string): Finding[] {
  return findings.filter((finding) => finding.check === check);
}

describe('doctor', () => {
  it('finds nothing that fails on a machine that is set up', async () => {
    await using folder = await temporaryFolder();
    const findings = await examine({
      dataDir: folder.path,
      http: { host: '127.0.0.1', port: 0 },
    });
    assert.deepEqual(
      findings.filter(({ level }) => level === 'fail'),
      [],
    );
    for (const check of [
      ...['node', 'elements', 'plugin', 'addon', 'sqlite', 'onnxruntime', 'models', 'disk'],
    ]) {
      assert.equal(of(findings, check)[0]?.level, 'ok', check);
    }
  });

  it('names missing elements with the package that brings them', async () => {
    await using folder = await temporaryFolder();
    const empty = join(folder.path, 'plugins');
    await mkdir(empty);
    const findings = await examine({
      env: {
        ...process.env,
        GST_PLUGIN_SYSTEM_PATH: empty,
        GST_PLUGIN_SYSTEM_PATH_1_0: empty,
        GST_REGISTRY: join(folder.path, 'registry.bin'),
      },
    });
    const missing = of(findings, 'elements');
    const libav = missing.find(({ what }) => what.includes('gstreamer1.0-libav'));
    assert.match(libav?.what ?? '', /^GStreamer lacks avdec_h264, avdec_h265, /);
    assert.match(libav?.mend ?? '', /^sudo apt-get install --reinstall gstreamer1\.0-libav/);
    assert.equal(missing.length, Object.keys(CPU_ELEMENTS).length);
  });

  it('says so where GStreamer’s tools are not installed', async () => {
    const findings = await examine({ env: { PATH: '/nowhere' } });
    assert.equal(of(findings, 'gstreamer')[0]?.mend, 'sudo apt-get install gstreamer1.0-tools');
  });

  it('says that SQLite was built for another Node, and what to do', async () => {
    const finding = await checkSqlite(async () => {
      throw new Error('The module was compiled against a different version.\nMore text.');
    });
    assert.equal(finding.level, 'fail');
    assert.match(finding.what, /SQLite cannot be used by Node v\d+.*different version\.$/);
    assert.match(finding.mend ?? '', /npm run setup/);
  });

  it('refuses an ONNX Runtime that is absent or no library', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'libonnxruntime.so');
    const look = async () => {
      const findings = await examine({ env: { ...process.env, SIGHTLINE_ONNXRUNTIME: file } });
      return of(findings, 'onnxruntime')[0];
    };
    assert.equal((await look())?.what, `ONNX Runtime cannot be read: ${file} (ENOENT)`);
    await writeFile(file, 'not a library');
    assert.deepEqual(await look(), {
      check: 'onnxruntime',
      level: 'fail',
      what: `${file} is no shared library`,
      mend: 'Correct or unset SIGHTLINE_ONNXRUNTIME',
    });
  });

  it('warns of a port that is in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    try {
      const finding = await checkPort('127.0.0.1', port);
      assert.equal(finding.level, 'warn');
      assert.match(finding.what, new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is in use`));
    } finally {
      server.close();
    }
    assert.equal((await checkPort('127.0.0.1', port)).level, 'ok');
    assert.equal((await checkPort('203.0.113.1', port)).level, 'fail');
  });

  it('refuses a data folder that cannot be written', async () => {
    const [, rights] = await checkDataDir('/proc/sightline');
    assert.equal(rights?.level, 'fail');
    assert.match(rights?.what ?? '', /^\/proc cannot be written \(E\w+\)/);
  });

  it('asks for set-up where no model is complete', async () => {
    await using folder = await temporaryFolder();
    assert.equal((await checkModels(folder.path)).mend, 'npm run setup');
    const model = join(folder.path, 'mine');
    await mkdir(model);
    await writeFile(join(model, 'model.yaml'), '');
    assert.equal((await checkModels(folder.path)).level, 'fail');
    await writeFile(join(model, 'model.onnx'), '');
    assert.deepEqual(await checkModels(folder.path), {
      check: 'models',
      level: 'ok',
      what: 'Models: mine',
    });
    await rm(folder.path, { recursive: true });
    assert.equal((await checkModels(folder.path)).level, 'fail');
  });

  it('refuses a clock that is behind', async () => {
    assert.equal((await checkClock()).level, 'ok');
    assert.equal((await checkClock(0)).level, 'fail');
  });

  it('looks for every element that the codecs of the CPU backend use', () => {
    const known = new Set(Object.values(CPU_ELEMENTS).flat());
    for (const { rtp, decoder } of CPU_CODECS) {
      for (const name of [rtp?.depayload, rtp?.parse, decoder?.factory]) {
        if (name !== undefined) assert.ok(known.has(name), name);
      }
    }
  });

  it('prints lines for people, a document for programs, and the exit status', async () => {
    const lines: string[] = [];
    const env = { PATH: '/nowhere' };
    assert.equal(await runDoctor({ env, print: (line) => lines.push(line) }), 1);
    assert.ok(lines.some((line) => line.startsWith('FAIL gstreamer')));
    assert.match(lines.at(-1) ?? '', /^\d+ problems? to mend\.$/);
    const documents: string[] = [];
    assert.equal(await runDoctor({ env, json: true, print: (text) => documents.push(text) }), 1);
    assert.equal(documents.length, 1);
    const { ok, findings } = JSON.parse(documents[0]!) as { ok: boolean; findings: Finding[] };
    assert.equal(ok, false);
    assert.equal(of(findings, 'gstreamer')[0]?.level, 'fail');
  });
});

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import { ROOT } from '../../src/common/paths.ts';
import { goTool } from '../support/go-tools.ts';
import { temporaryFolder } from '../support/server.ts';

const run = promisify(execFile);
const CHART = join(ROOT, 'deploy', 'helm', 'sightline');
const MANIFESTS = join(ROOT, 'deploy', 'kubernetes', 'sightline.yaml');
const EVERYTHING = join(ROOT, 'test', 'deploy', 'everything.values.yaml');
const TOOLS = join(ROOT, '.cache', 'go-tools');

const helm = goTool('helm', 'check:helm');
const kubeconform = goTool('kubeconform', 'check:helm');

interface Container {
  readonly args: readonly string[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly resources: { readonly limits: Readonly<Record<string, unknown>> };
  readonly volumeMounts: readonly { readonly mountPath: string }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
}
interface Probe {
  readonly httpGet: { readonly path: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}
interface Manifest {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly triggers?: readonly { readonly metadata: Readonly<Record<string, string>> }[];
    readonly volumeClaimTemplates?: readonly unknown[];
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly containers: readonly [Container];
        readonly securityContext: Readonly<Record<string, unknown>>;
        readonly automountServiceAccountToken: boolean;
        readonly terminationGracePeriodSeconds: number;
      };
    };
  };
}

async function render(...values: string[]): Promise<string> {
  const args = [
    'template',
    'sightline',
    CHART,
    '--namespace',
    'sightline',
    '--kube-version',
    '1.34',
  ];
  const { stdout } = await run(helm.path, [...args, ...values], { maxBuffer: 1 << 24 });
  return stdout;
}

function documents(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    assert.deepEqual(document.errors, []);
    return document.contents === null ? [] : [document.toJS() as Manifest];
  });
}

const workloads = (manifests: readonly Manifest[]) =>
  manifests.filter(({ kind }) => kind === 'StatefulSet' || kind === 'Deployment');

async function conforms(text: string): Promise<void> {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'manifests.yaml');
  writeFileSync(file, text);
  const schemas = readdirSync(TOOLS).find((name) => name.startsWith('schemas-'));
  assert.ok(schemas, 'no schemas beside kubeconform');
  const location = join(TOOLS, schemas, '{{ .ResourceKind }}{{ .KindSuffix }}.json');
  const args = ['-strict', '-summary', '-output', 'json', '-schema-location', location, file];
  const { stdout } = await run(kubeconform.path, args).catch((error: { stdout: string }) => error);
  const { resources = [], summary } = JSON.parse(stdout) as {
    resources?: { name: string; msg: string }[];
    summary: { valid: number };
  };
  assert.deepEqual(resources, []);
  assert.equal(summary.valid, documents(text).length);
}

describe('deploy/kubernetes', () => {
  const text = () => readFileSync(MANIFESTS, 'utf8');

  it('is what the chart gives without values', { skip: helm.isMissing }, async () => {
    const rendered = `# helm template sightline deploy/helm/sightline --namespace sightline\n${await render()}`;
    if (process.env['SIGHTLINE_GOLDEN'] === 'write') writeFileSync(MANIFESTS, rendered);
    assert.equal(text(), rendered);
  });

  it('conforms to the API of Kubernetes', { skip: kubeconform.isMissing }, () => conforms(text()));

  it('probes routes that there are', () => {
    const { paths } = JSON.parse(readFileSync(join(ROOT, 'docs', 'openapi.json'), 'utf8')) as {
      paths: object;
    };
    for (const { metadata, spec } of workloads(documents(text()))) {
      const [{ startupProbe, livenessProbe, readinessProbe }] = spec.template.spec.containers;
      assert.equal(livenessProbe.httpGet.path, '/healthz', metadata.name);
      assert.equal(readinessProbe.httpGet.path, '/readyz', metadata.name);
      for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
        assert.ok(httpGet.path in paths, httpGet.path);
      }
      // A probe of liveness that begins before the start is over would end it.
      assert.ok(startupProbe.periodSeconds * startupProbe.failureThreshold >= 120);
    }
  });

  it('gives no workload rights that it does not need', () => {
    const found = workloads(documents(text()));
    assert.deepEqual(found.map(({ metadata }) => metadata.name).sort(), [
      'sightline-control',
      'sightline-infer',
      'sightline-react',
      'sightline-receive',
    ]);
    for (const { spec, metadata } of found) {
      const pod = spec.template.spec;
      assert.equal(pod.securityContext['runAsNonRoot'], true, metadata.name);
      assert.deepEqual(pod.securityContext['seccompProfile'], { type: 'RuntimeDefault' });
      assert.equal(pod.automountServiceAccountToken, false);
      assert.deepEqual(pod.containers[0].securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      // What the server writes (Dockerfile) besides the temporary folder.
      const mounts = pod.containers[0].volumeMounts.map(({ mountPath }) => mountPath);
      for (const path of ['/app/data', '/app/.cache', '/tmp']) assert.ok(mounts.includes(path));
    }
  });

  it('selects the pods of each service by a budget, a policy and a service', () => {
    const manifests = documents(text());
    for (const { spec, metadata } of workloads(manifests)) {
      const beside = manifests.filter(({ metadata: { name } }) => name === metadata.name);
      const kinds = beside.map(({ kind }) => kind).sort();
      assert.deepEqual(
        kinds.filter((kind) => kind !== 'StatefulSet' && kind !== 'Deployment'),
        ['ConfigMap', 'NetworkPolicy', 'PodDisruptionBudget', 'Service', 'ServiceAccount'],
      );
      const budget = beside.find(({ kind }) => kind === 'PodDisruptionBudget');
      for (const [label, value] of Object.entries(budget!.spec.selector.matchLabels)) {
        assert.equal(spec.template.metadata.labels[label], value);
      }
    }
  });
});

describe('deploy/helm with every value set', {
  skip: helm.isMissing || kubeconform.isMissing,
}, () => {
  it('conforms, KEDA included', async () => conforms(await render('--values', EVERYTHING)));

  it('lets KEDA count the pods of infer', async () => {
    const manifests = documents(await render('--values', EVERYTHING));
    const scaled = manifests.find(({ kind }) => kind === 'ScaledObject');
    const values = parse(readFileSync(EVERYTHING, 'utf8')) as {
      infer: { keda: { queueUrl: string } };
    };
    assert.equal(scaled?.spec.triggers?.[0]?.metadata['queueURL'], values.infer.keda.queueUrl);
    const infer = manifests.find(({ kind }) => kind === 'Deployment');
    assert.equal(infer?.spec.replicas, undefined);
  });

  it('gives a GPU to the service that asks for one', async () => {
    const found = workloads(documents(await render('--values', EVERYTHING)));
    const gpus = found.map(({ metadata, spec }) => [
      metadata.name,
      spec.template.spec.containers[0].resources.limits['nvidia.com/gpu'],
    ]);
    assert.deepEqual(Object.fromEntries(gpus), {
      'sightline-control': 1,
      'sightline-receive': undefined,
      'sightline-infer': undefined,
      'sightline-react': undefined,
    });
  });

  it('puts the role of AWS on the account of its service', async () => {
    const accounts = documents(await render('--values', EVERYTHING)).filter(
      ({ kind }) => kind === 'ServiceAccount',
    );
    assert.deepEqual(
      accounts.map(({ metadata }) => metadata.annotations?.['eks.amazonaws.com/role-arn'] ?? ''),
      [
        '',
        'arn:aws:iam::123456789012:role/sightline-receive',
        'arn:aws:iam::123456789012:role/sightline-infer',
        '',
      ],
    );
  });

  it('leaves out a service that is off', async () => {
    const rest = documents(await render('--set', 'react.enabled=false,infer.enabled=false'));
    assert.ok(rest.every(({ metadata }) => !/-(?:react|infer)$/.test(metadata.name)));
    assert.equal(workloads(rest).length, 2);
  });

  it('refuses KEDA without a queue', async () => {
    await assert.rejects(render('--set', 'infer.keda.enabled=true'), /infer\.keda\.queueUrl/);
  });
});

// Schemas for kubeconform, made from the API descriptions of Kubernetes and KEDA: one file a kind, in which nothing but what
// is described may stand.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { GO_TOOLS, moduleFolder } from './module.mjs';

const KUBERNETES = 'v1.36.1';
const KEDA = 'v2.21.0';
const FOLDER = join(GO_TOOLS, `schemas-${KUBERNETES}-${KEDA}`);

/** For `-schema-location` of kubeconform. */
export const SCHEMA_LOCATION = join(FOLDER, '{{ .ResourceKind }}{{ .KindSuffix }}.json');

/** Makes the schemas unless they are there. */
export async function makeSchemas(note) {
  if (existsSync(FOLDER)) return SCHEMA_LOCATION;
  note('schemas: fetching k8s.io/kubernetes and github.com/kedacore/keda');
  const unfinished = `${FOLDER}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const kubernetes = await moduleFolder('k8s.io/kubernetes', KUBERNETES);
  const swagger = join(kubernetes, 'api', 'openapi-spec', 'swagger.json');
  writeKinds(JSON.parse(readFileSync(swagger, 'utf8')).definitions, unfinished);
  const keda = await moduleFolder('github.com/kedacore/keda/v2', KEDA);
  writeCustomKinds(join(keda, 'config', 'crd', 'bases'), unfinished);
  renameSync(unfinished, FOLDER);
  return SCHEMA_LOCATION;
}

function writeKinds(definitions, folder) {
  // Also a plain number, as in `nvidia.com/gpu: 1`.
  definitions['io.k8s.apimachinery.pkg.api.resource.Quantity'].type = ['string', 'number'];
  for (const schema of Object.values(definitions)) strictly(schema);
  for (const [name, schema] of Object.entries(definitions)) {
    for (const { group, version, kind } of schema['x-kubernetes-group-version-kind'] ?? []) {
      if (group === '' && kind === 'DeleteOptions') continue;
      const used = {};
      collect(name, definitions, used);
      write(folder, { group, version, kind }, { $ref: `#/definitions/${name}`, definitions: used });
    }
  }
}

/** The definition and all that it refers to. */
function collect(name, definitions, used) {
  if (used[name] !== undefined) return;
  used[name] = definitions[name];
  for (const [, next] of JSON.stringify(definitions[name]).matchAll(/"#\/definitions\/([^"]+)"/g)) {
    collect(next, definitions, used);
  }
}

function writeCustomKinds(folder, to) {
  for (const name of readdirSync(folder)) {
    for (const document of parseAllDocuments(readFileSync(join(folder, name), 'utf8'))) {
      const { spec } = document.toJS();
      for (const { name: version, schema } of spec.versions) {
        const { openAPIV3Schema: described } = schema;
        strictly(described);
        // Every object has it; custom ones say no more than that.
        described.properties.metadata = { type: 'object' };
        write(to, { group: spec.group, version, kind: spec.names.kind }, described);
      }
    }
  }
}

/** Named as kubeconform names them: the kind, the first part of the group, the version. */
function write(folder, { group, version, kind }, schema) {
  const suffix = [group.split('.')[0], version].filter((part) => part !== '').join('-');
  writeFileSync(join(folder, `${kind}-${suffix}.json`.toLowerCase()), JSON.stringify(schema));
}

function strictly(schema) {
  if (schema === null || typeof schema !== 'object') return;
  const isOpen = schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (schema.properties !== undefined && schema.additionalProperties === undefined && !isOpen) {
    schema.additionalProperties = false;
  }
  if (schema.format === 'int-or-string' || schema['x-kubernetes-int-or-string'] === true) {
    delete schema.format;
    schema.type = ['string', 'integer'];
  }
  for (const value of Object.values(schema)) strictly(value);
}

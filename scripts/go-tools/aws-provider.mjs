// HashiCorp's AWS provider with those services alone that deploy/terraform uses. Whole, it is hundreds of SDKs and an hour of
// compiling; what is left out here are lists that its own generators wrote, no code of a resource.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folders of internal/service: those of deploy/terraform, and those that these import. */
export const SERVICES = [
  ...['appautoscaling', 'athena', 'cloudwatch', 'dynamodb', 'ecs', 'firehose', 'glue', 'iam'],
  ...['kinesis', 'kms', 'logs', 's3', 's3control', 'sqs', 'sts'],
];

// Version 6.47.1 of the provider. Its tags from v2 on have no /vN in the module's path, so the proxy knows it by commit.
export const AWS_PROVIDER = {
  module: 'github.com/hashicorp/terraform-provider-aws',
  version: 'v1.60.1-0.20260602190131-5f2286d6d836',
  providerVersion: '6.47.1',
  pkg: '.',
  program: 'terraform-provider-aws',
  filter: isKept,
  change: trim,
};

function isKept(path) {
  if (/_test\.go$|^(website|docs|examples|infrastructure|\.)/.test(path)) return false;
  const [, service] = /^internal\/service\/([^/.]+)(?:\/|$)/.exec(path) ?? [];
  return service === undefined || SERVICES.includes(service);
}

function trim(root) {
  const packages = join(root, 'internal', 'provider', 'sdkv2', 'service_packages_gen.go');
  keepLines(
    packages,
    /^\t(?:"[^"]*\/internal\/service\/(\w+)"|\t(\w+)\.ServicePackage\(ctx\),)$/,
    SERVICES,
  );
  const clients = join(root, 'internal', 'conns', 'awsclient_gen.go');
  const used = sdksUsed(root);
  const text = readFileSync(clients, 'utf8').replace(
    /\nfunc \(c \*AWSClient\) \w+Client\(.*\) \*(\w+)\.Client \{\n.*\n\}\n/g,
    (whole, sdk) => (used.includes(sdk) ? whole : ''),
  );
  writeFileSync(clients, text);
  keepLines(clients, /^\t"github\.com\/aws\/aws-sdk-go-v2\/service\/(\w+)"$/, used);
}

/** The SDKs that the kept services import, by the last part of their path. */
function sdksUsed(root) {
  const used = new Set();
  for (const service of SERVICES) {
    const folder = join(root, 'internal', 'service', service);
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.go'))) {
      const text = readFileSync(join(folder, name), 'utf8');
      for (const [, sdk] of text.matchAll(/"github\.com\/aws\/aws-sdk-go-v2\/service\/(\w+)"/g))
        used.add(sdk);
    }
  }
  return [...used];
}

/** Removes the lines that name something else. */
function keepLines(file, pattern, names) {
  const lines = readFileSync(file, 'utf8').split('\n');
  const kept = lines.filter((line) => {
    const found = pattern.exec(line);
    return found === null || names.includes(found[1] ?? found[2]);
  });
  writeFileSync(file, kept.join('\n'));
}

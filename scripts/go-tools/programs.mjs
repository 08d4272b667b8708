// The programs that check deploy/. Versions are changed by hand.
import { AWS_PROVIDER } from './aws-provider.mjs';
import { buildGoTool } from './module.mjs';

const HELM = {
  module: 'helm.sh/helm/v3',
  version: 'v3.22.0',
  pkg: './cmd/helm',
  program: 'helm',
};
const KUBECONFORM = {
  module: 'github.com/yannh/kubeconform',
  version: 'v0.8.0',
  pkg: './cmd/kubeconform',
  program: 'kubeconform',
};
const TOFU = {
  module: 'github.com/opentofu/opentofu',
  version: 'v1.12.6',
  pkg: './cmd/tofu',
  program: 'tofu',
};

const COMPOSE = {
  module: 'github.com/compose-spec/compose-go/v2',
  version: 'v2.16.2',
  pkg: './cmd',
  program: 'compose-spec',
};

/** Path of the loader that Docker Compose has, as a program. */
export async function composeProgram(note) {
  return { compose: await buildGoTool(COMPOSE, note) };
}

/** Paths of Helm and kubeconform. */
export async function helmPrograms(note) {
  return { kubeconform: await buildGoTool(KUBECONFORM, note), helm: await buildGoTool(HELM, note) };
}

/** Paths of OpenTofu and the AWS provider, and the provider's version. */
export async function tofuPrograms(note) {
  return {
    tofu: await buildGoTool(TOFU, note),
    provider: await buildGoTool(AWS_PROVIDER, note),
    providerVersion: AWS_PROVIDER.providerVersion,
  };
}

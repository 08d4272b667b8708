{{/* Names are <release>-<service>. */}}
{{- define "sightline.name" -}}
{{ printf "%s-%s" .release .service | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "sightline.selector" -}}
app.kubernetes.io/name: sightline
app.kubernetes.io/instance: {{ .release }}
app.kubernetes.io/component: {{ .service }}
{{- end }}

{{- define "sightline.labels" -}}
{{ include "sightline.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end }}

{{/* The services that are on, as a list of what the templates below need: root, release, service, values. */}}
{{- define "sightline.services" -}}
{{- $on := list }}
{{- range list "control" "receive" "infer" "react" }}
{{- if (mergeOverwrite (deepCopy $.Values.defaults) (index $.Values .)).enabled }}{{ $on = append $on . }}{{ end }}
{{- end }}
{{- join "," $on }}
{{- end }}

{{/* The file after --config. The API listens on all addresses of the pod: NetworkPolicies say who reaches it. */}}
{{- define "sightline.config" -}}
{{- $fixed := dict "dataDir" "/app/data" "http" (dict "host" "0.0.0.0" "port" 8080) -}}
{{ toYaml (mergeOverwrite (deepCopy .values.config) $fixed) }}
{{- end }}

{{- define "sightline.image" -}}
{{- $image := mergeOverwrite (deepCopy .root.Values.image) .values.image -}}
{{ $image.repository }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{/* spec.template of every workload. */}}
{{- define "sightline.pod" -}}
metadata:
  labels: {{- include "sightline.labels" . | nindent 4 }}
  annotations:
    checksum/config: {{ include "sightline.config" . | sha256sum }}
    {{- with .values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "sightline.name" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .values.terminationGracePeriodSeconds }}
  {{- with .root.Values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.runtimeClassName }}
  runtimeClassName: {{ . }}
  {{- end }}
  {{- with .values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include "sightline.selector" . | nindent 10 }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 1000
    runAsGroup: 1000
    fsGroup: 1000
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: { type: RuntimeDefault }
  containers:
    - name: sightline
      image: {{ include "sightline.image" . | quote }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: [{{ .values.command | default .service | quote }}, "--config", "/etc/sightline/sightline.yaml"]
      env:
        - name: HOME
          value: /tmp
        - name: POD_NAME
          valueFrom: { fieldRef: { fieldPath: metadata.name } }
        {{- range $name, $value := .root.Values.env }}
        - name: {{ $name }}
          value: {{ $value | quote }}
        {{- end }}
      {{- with .values.existingSecret }}
      envFrom:
        - secretRef: { name: {{ . }} }
      {{- end }}
      ports:
        - name: http
          containerPort: 8080
      # Alive: the process answers. A camera or a sink that is away changes nothing about it.
      startupProbe:
        httpGet: { path: /healthz, port: http }
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: {{ div (add .values.startupSeconds 4) 5 }}
      livenessProbe:
        httpGet: { path: /healthz, port: http }
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      # Ready: it can take streams and store what they give.
      readinessProbe:
        httpGet: { path: /readyz, port: http }
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 3
      {{- $resources := deepCopy .values.resources }}
      {{- if gt (int .values.gpu.count) 0 }}
      {{- $resources = mergeOverwrite $resources (dict "limits" (dict .values.gpu.resource .values.gpu.count)) }}
      {{- end }}
      resources: {{- toYaml $resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      volumeMounts:
        - { name: config, mountPath: /etc/sightline, readOnly: true }
        - { name: data, mountPath: /app/data }
        - { name: cache, mountPath: /app/.cache }
        - { name: scratch, mountPath: /tmp }
  volumes:
    - name: config
      configMap: { name: {{ include "sightline.name" . }} }
    - name: cache
      emptyDir: { sizeLimit: 1Gi }
    - name: scratch
      emptyDir: { sizeLimit: 1Gi }
{{- end }}

{{- define "sightline.claim" -}}
accessModes: [ReadWriteOnce]
{{- with .values.storage.className }}
storageClassName: {{ . }}
{{- end }}
resources:
  requests: { storage: {{ .values.storage.size }} }
{{- end }}

{{- define "nightshift.labels" -}}
app.kubernetes.io/name: nightshift
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- define "nightshift.selector" -}}
app.kubernetes.io/name: nightshift
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* The name of the RabbitmqCluster, and so of its Service. */}}
{{- define "nightshift.rabbitmq" -}}
{{ .Release.Name }}-rabbitmq
{{- end }}

{{- define "nightshift.exporterHost" -}}
{{ .Release.Name }}-exporter.{{ .Release.Namespace }}.svc
{{- end }}

{{/* A number of a page group's seconds, as a setting or its default. */}}
{{- define "nightshift.grace" -}}
{{- $limit := .Values.settings.NIGHTSHIFT_TIME_LIMIT | default 300 | toString | float64 -}}
{{ .Values.workerGpu.terminationGraceSeconds | default (add (ceil $limit) 30) }}
{{- end }}

{{/* What all pods have in common; root, component, secret; gpu: whether they have one. */}}
{{- define "nightshift.pod" -}}
serviceAccountName: {{ .root.Release.Name }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
volumes:
  - name: temp
    emptyDir: {}
  - name: cache
    emptyDir: {}
  {{- with .root.Values.filesSecret }}
  - name: files
    secret: {secretName: {{ . }}, defaultMode: 0440}
  {{- end }}
  {{- if and .root.Values.modelsClaim (hasPrefix "worker" .component) }}
  - name: models
    persistentVolumeClaim: {claimName: {{ .root.Values.modelsClaim }}, readOnly: true}
  {{- end }}
{{- end }}

{{- define "nightshift.container" -}}
name: {{ .component }}
image: {{ ternary .root.Values.image.gpu .root.Values.image.cpu (eq .component "worker-gpu") }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
envFrom:
  - configMapRef: {name: {{ .root.Release.Name }}-settings}
  - secretRef: {name: {{ .secret }}}
volumeMounts:
  - {name: temp, mountPath: /tmp}
  - {name: cache, mountPath: /var/cache/nightshift}
  {{- if .root.Values.filesSecret }}
  - {name: files, mountPath: /etc/nightshift/files, readOnly: true}
  {{- end }}
  {{- if and .root.Values.modelsClaim (hasPrefix "worker" .component) }}
  - {name: models, mountPath: /models, readOnly: true}
  {{- end }}
{{- end }}

{{/* A restart helps a worker that hangs (/livez), not one without a broker (/healthz). */}}
{{- define "nightshift.workerProbes" -}}
ports:
  - {name: metrics, containerPort: 9809}
startupProbe:
  httpGet: {path: /livez, port: metrics}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /livez, port: metrics}
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /healthz, port: metrics}
  periodSeconds: 15
  timeoutSeconds: 5
{{- end }}

{{- define "nightshift.podAnnotations" -}}
checksum/settings: {{ toJson .Values.settings | sha256sum }}
{{- end }}

{{- define "nightshift.scraped" -}}
prometheus.io/scrape: "true"
prometheus.io/port: {{ . | quote }}
{{- end }}

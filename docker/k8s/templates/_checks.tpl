{{/* Values that a schema can't refuse with a sentence that helps. */}}
{{- define "nightshift.check" -}}
{{- $window := .Values.settings.NIGHTSHIFT_WINDOW | toString | lower -}}
{{- $compact := regexReplaceAll "\\s*([-,;])\\s*" (trim $window) "${1}" -}}
{{- $clock := "([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00" -}}
{{- $hours := printf "(24h|(%s)-(%s))" $clock $clock -}}
{{- $day := "(mon|tue|wed|thu|fri|sat|sun|weekdays|weekends)" -}}
{{- $days := printf "%s(-%s)?(,%s(-%s)?)*" $day $day $day $day -}}
{{- $rule := printf "(%s\\s+)?%s(,%s)*" $days $hours $hours -}}
{{- if not (regexMatch (printf "^(always|never|%s(;%s)*)$" $rule $rule) $compact) -}}
{{- fail (printf "settings.NIGHTSHIFT_WINDOW: %q is not a window; use one such as \"22:00-06:00\" or \"mon-fri 22:00-06:00; sat-sun 20:00-08:00\" (docs/reference/window.md)." $window) -}}
{{- end -}}
{{- $zone := .Values.settings.NIGHTSHIFT_TIMEZONE | toString -}}
{{- if not (regexMatch "^(UTC|GMT|[A-Z][A-Za-z]+(/[A-Z][A-Za-z0-9_+-]*[A-Za-z0-9])+)$" $zone) -}}
{{- fail (printf "settings.NIGHTSHIFT_TIMEZONE: %q is not the name of a time zone; use one such as \"Europe/Berlin\" or \"UTC\"." $zone) -}}
{{- end -}}
{{- $gpu := and .Values.workerGpu.enabled .Values.scaling.enabled -}}
{{- if and $gpu (regexMatch "^(always|24h)$" $compact) (or (gt (int .Values.scaling.lastMinutes) 0) (gt (int .Values.scaling.moreThan) 0)) -}}
{{- fail (printf "settings.NIGHTSHIFT_WINDOW: %q never closes, so a few documents would wait forever; set scaling.moreThan and scaling.lastMinutes to 0, or choose a window that closes." $window) -}}
{{- end -}}
{{- if and $gpu (eq (int .Values.scaling.lastMinutes) 0) (gt (int .Values.scaling.moreThan) 0) -}}
{{- fail (printf "scaling.lastMinutes: 0 would leave up to %d documents waiting forever; set the minutes before the window closes in which any document starts a GPU worker, or scaling.moreThan to 0." (int .Values.scaling.moreThan)) -}}
{{- end -}}
{{- if not (regexMatch "^[a-z0-9.-]+/(gpu|gpu\\.shared|mig-[1-7]g\\.[0-9]+gb(\\.me)?)$" .Values.workerGpu.resource) -}}
{{- fail (printf "workerGpu.resource: %q is not a GPU resource; use one such as \"nvidia.com/gpu\" or \"nvidia.com/mig-1g.10gb\", as in kubectl describe node." .Values.workerGpu.resource) -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (not .Values.rabbitmq.enabled) (not .Values.networkPolicy.brokerTo) -}}
{{- fail "networkPolicy.brokerTo: empty, so no process could reach RabbitMQ; name your broker, or set rabbitmq.enabled to true." -}}
{{- end -}}
{{- end }}

"""Kubernetes without a cluster: the chart as Helm renders it, and models of what KEDA and Kubernetes make of it."""

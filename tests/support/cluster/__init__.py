"""Kubernetes without a cluster: the chart rendered by Helm itself, and models of what KEDA and Kubernetes do with it."""

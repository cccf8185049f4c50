# Stand-in for the image of Prometheus in docker/compose.yaml: the same paths and user, Debian's package.
ARG BASE
FROM ${BASE}
RUN apt-get -qq update && apt-get -qq install -y --no-install-recommends prometheus wget \
    && install -d -o 65534 -g 65534 /prometheus
USER 65534:65534
ENTRYPOINT ["prometheus"]

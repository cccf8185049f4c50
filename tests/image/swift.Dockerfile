# Stand-in for the S3 server of docker/compose.yaml where its image can't be pulled: OpenStack Swift with its S3 API.
ARG BASE
FROM ${BASE}
RUN apt-get -qq update && apt-get -qq install -y --no-install-recommends wget
RUN python3 -m venv /opt/swift && /opt/swift/bin/pip install --no-cache-dir swift==2.38.3 'setuptools<81'
RUN useradd --uid 10001 swift && install -d -o 10001 -g 10001 /data/nightshift
COPY swift.py /usr/local/bin/swift.py
USER 10001:10001
ENTRYPOINT ["python3", "/usr/local/bin/swift.py"]

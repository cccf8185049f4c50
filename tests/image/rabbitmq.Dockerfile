# Stand-in for the image of RabbitMQ in docker/compose.yaml: the same paths, user and plugins, Debian's package of a
# newer release (the base image).
ARG BASE
FROM ${BASE}
RUN install -d -o 999 -g 999 /var/lib/rabbitmq /var/log/rabbitmq && install -d /etc/rabbitmq/conf.d \
    && echo '[rabbitmq_management,rabbitmq_prometheus].' > /etc/rabbitmq/enabled_plugins \
    && printf 'log.console = true\n' > /etc/rabbitmq/conf.d/10-defaults.conf \
    && rm -rf /var/lib/rabbitmq/* /var/lib/rabbitmq/.erlang.cookie && chown -R 999:999 /var/lib/rabbitmq /var/log/rabbitmq
ENV PATH=/usr/lib/rabbitmq/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/var/lib/rabbitmq RABBITMQ_LOGS=-
USER 999:999
VOLUME /var/lib/rabbitmq
CMD ["rabbitmq-server"]

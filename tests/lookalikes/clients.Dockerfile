# The agent's room with real clients in it. Each package tool asks where it asks by itself; Node 24 is npm's own package of it.
ARG BASE
FROM ${BASE} AS node
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends nodejs npm
# The build trusts the authorities that this machine trusts: some networks open TLS with one of their own.
COPY trusted.crt /opt/trusted.crt
RUN if [ -s /opt/trusted.crt ]; then export NODE_EXTRA_CA_CERTS=/opt/trusted.crt npm_config_cafile=/opt/trusted.crt; fi \
 && cd /opt && npm install --silent --no-audit --no-fund node@24.21.0 npm@11.19.0 \
 && install -D node_modules/node/bin/node /opt/out/bin/node \
 && mkdir -p /opt/out/lib/node_modules && cp -r node_modules/npm /opt/out/lib/node_modules/npm \
 && ln -s ../lib/node_modules/npm/bin/npm-cli.js /opt/out/bin/npm

FROM ${BASE}
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends curl git openjdk-17-jdk-headless \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
COPY trusted.crt clients/requirements.txt /tmp/
RUN if [ -s /tmp/trusted.crt ]; then export PIP_CERT=/tmp/trusted.crt; fi \
 && python3 -m pip install -q --disable-pip-version-check --no-cache-dir --break-system-packages -r /tmp/requirements.txt \
 && rm /tmp/trusted.crt /tmp/requirements.txt
COPY --from=node /opt/out /usr/local
COPY clients /opt/clients

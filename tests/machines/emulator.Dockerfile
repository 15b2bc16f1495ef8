# QEMU of a Debian that has a recent one; it is run from its tree, by its own loader.
ARG BASE=hostkit/base:trixie
FROM ${BASE}
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends qemu-system-x86 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/*

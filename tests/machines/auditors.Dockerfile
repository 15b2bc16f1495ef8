# The VM with two public auditors upon it, for bench/auditors.py.
ARG BASE
FROM ${BASE}
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends lynis openscap-scanner ssg-debian \
 && rm -rf /var/lib/apt/lists/*

# The VM as a box: its account and its key, an address by DHCP, all that `make dev` would fetch, and no hostkit yet.
ARG BASE
FROM ${BASE}
RUN apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends make rsync \
 && rm -rf /var/lib/apt/lists/*
COPY requirements.lock trusted.crt /root/
RUN if [ -s /root/trusted.crt ]; then export PIP_CERT=/root/trusted.crt; fi \
 && /opt/hostkit/.venv/bin/pip install -q --disable-pip-version-check --no-cache-dir --require-hashes -r /root/requirements.lock \
 && rm -f /root/requirements.lock /root/trusted.crt /usr/local/bin/hostkit /opt/hostkit/requirements.lock \
      /opt/hostkit/.venv/bin/hostkit /opt/hostkit/.venv/lib/python3.*/site-packages/hostkit.pth
COPY vagrant.pub /home/vagrant/.ssh/authorized_keys
RUN useradd -M -s /bin/bash vagrant && chown -R vagrant:vagrant /home/vagrant && chmod 0700 /home/vagrant/.ssh \
 && echo 'vagrant ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/vagrant && chmod 0440 /etc/sudoers.d/vagrant \
 && printf '[Match]\nName=eth0\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=no\n' > /etc/systemd/network/80-eth0.network

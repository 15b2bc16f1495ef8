#!/bin/sh
# What both machines have: an administrator who logs in by key and may sudo, hostkit on the venv's path, a quick sshd.
set -eu
useradd -m -s /bin/bash admin
echo 'admin ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/admin
chmod 0440 /etc/sudoers.d/admin
install -d -m 0700 /root/.ssh
install -d -m 0700 -o admin -g admin /home/admin/.ssh
printf 'UseDNS no\nGSSAPIAuthentication no\nHostKey /etc/ssh/ssh_host_ed25519_key\n' > /etc/ssh/sshd_config.d/test.conf
for packages in /opt/hostkit/.venv/lib/python3.*/site-packages; do echo /opt/hostkit > "$packages/hostkit.pth"; done
printf '#!/opt/hostkit/.venv/bin/python\nfrom hostkit.cli import main\n\nmain()\n' > /opt/hostkit/.venv/bin/hostkit
chmod 0755 /opt/hostkit/.venv/bin/hostkit
: > /etc/machine-id
rm -f /usr/sbin/policy-rc.d  # an image of a container forbids services to start; a host does not

# What a VM needs more than the container: a kernel, an initrd that finds the virtio disk, and an address of its own.
ARG BASE
FROM ${BASE}
RUN mkdir -p /etc/initramfs-tools/conf.d \
 && printf 'MODULES=list\nCOMPRESS=zstd\nBUSYBOX=n\n' > /etc/initramfs-tools/conf.d/vm.conf \
 && printf 'virtio_pci\nvirtio_blk\next4\n' > /etc/initramfs-tools/modules \
 && apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
      -o Dpkg::Options::=--force-confold docker.io $(apt-cache search -n '^docker-cli$' | cut -d ' ' -f 1) initramfs-tools iptables linux-image-cloud-amd64 zstd \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
# Without KVM each program that starts costs 40 ms, and every `systemctl enable` starts dozens that find nothing here.
RUN mkdir -p /etc/systemd/system-generators && cd /lib/systemd/system-generators \
 && for name in *; do test "$name" = systemd-fstab-generator || ln -s /dev/null "/etc/systemd/system-generators/$name"; done \
 && rm -f /etc/init.d/*
RUN printf '[Match]\nName=eth0\n[Network]\nAddress=10.9.0.2/24\nGateway=10.9.0.1\nAddress=fd00:9::2/64\nGateway=fd00:9::1\nIPv6AcceptRA=no\n' \
      > /etc/systemd/network/80-eth0.network \
 && printf '[Match]\nName=eth1\n[Network]\nAddress=192.0.2.2/24\nAddress=2001:db8:2::2/64\nIPv6AcceptRA=no\n' \
      > /etc/systemd/network/80-eth1.network \
 && echo '/dev/vda / ext4 defaults,noatime 0 0' > /etc/fstab \
 && systemctl disable docker.service docker.socket containerd.service \
 && systemctl enable systemd-networkd && systemctl mask systemd-networkd-wait-online.service

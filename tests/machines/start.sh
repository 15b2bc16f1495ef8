#!/bin/sh
# The container's first process: cgroups and net sysctls become writable (both are its own namespace's), then systemd.
for tree in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
  [ ! -d "$tree" ] || mount -o remount,rw "$tree"
done
[ ! -e /sys/fs/cgroup/cgroup.controllers ] || mount -o remount,rw /sys/fs/cgroup
mkdir -p /run/fresh
mount -t proc proc /run/fresh
mount --bind /run/fresh/sys/net /proc/sys/net
umount -l /run/fresh
# What a probe sends to a documentation address or a cloud's metadata ends in a namespace where nobody listens: no test
# may send it out of this container, so without these routes there is no machine.
set -e
ip netns add void
ip link add void0 type veth peer name void1 netns void
ip -n void link set void1 up
sysctl -qw net.ipv6.conf.void0.disable_ipv6=0
for name in ipv4/conf/void0/accept_redirects ipv4/conf/void0/send_redirects ipv6/conf/void0/accept_redirects; do
  echo 0 > "/proc/sys/net/$name"
done
ip link set void0 up arp off
ip address add 2001:db8:0:ffff::1/128 dev void0 nodad
for nowhere in 203.0.113.0/24 169.254.169.254 100.100.100.200 168.63.129.16; do ip route add "$nowhere" dev void0; done
for nowhere in 2001:db8::/32 fd00:ec2::254; do ip -6 route add "$nowhere" dev void0; done
exec /sbin/init

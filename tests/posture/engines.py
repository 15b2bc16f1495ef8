"""Containers as an engine tells of them, for the checks that judge them."""

from hostkit.bootstrap.apparmor import KERNEL
from hostkit.errors import CannotTell
from tests.conftest import FakeHost, make_policy

P, HOST = make_policy(), FakeHost(files={KERNEL: "Y\n"})
DEAF = CannotTell("the Docker engine does not answer")


def box(name="box", ports=None, labels=None, mounts=(), **config):
    return {
        "Name": "/" + name,
        "State": {"Running": True},
        "Config": {"Labels": labels},
        "HostConfig": config,
        "Mounts": list(mounts),
        "NetworkSettings": {"Ports": ports or {}},
    }


def bind(source, **more):
    return {"Type": "bind", "Source": source, "RW": True, **more}


def seeing(*sources, **more):
    return [hard(mounts=[bind(source, **more) for source in sources])]


PROFILE = 'seccomp={"defaultAction": "SCMP_ACT_ERRNO"}'
WALLS = {
    "CapDrop": ["ALL"],
    "SecurityOpt": [PROFILE, "no-new-privileges:true"],
    "ReadonlyRootfs": True,
    "Memory": 1 << 28,
    "PidsLimit": 64,
    "NanoCpus": 1000000000,
    "MaskedPaths": ["/proc/kcore"],
}


def hard(name="box", user="1000", networks=("bridge",), image="tool:1", labels=None, mounts=(), **changed):
    """Return a container that has all walls but for what is changed."""
    made = box(name, labels=labels, mounts=mounts, **{**WALLS, **changed})
    made["Config"] |= {"User": user, "Image": image}
    made["NetworkSettings"]["Networks"] = {key: {} for key in networks}
    return {**made, "Id": name * 8, "AppArmorProfile": "docker-default"}


def ours(part="agent", client="acme", **changed):
    label = {"hostkit.client": client, "hostkit.part": part}
    more = {"networks": [f"hostkit-{client}-in"], "image": "agent:1", **changed}
    return {**hard(f"hostkit-{client}-{part}", labels=label, **more), "Image": "sha256:aa"}


def case(check, documents, status, word, gateway=lambda: None, host=HOST):
    return (check, host, P, status, word, {"containers": documents, "gateway": gateway})


def asked(check, documents, status, **survey):
    """Return a case in which the engine says more of itself."""
    return (check, HOST, P, status, "", {"containers": documents, "survey": survey})

from hostkit.bootstrap.kernel import SETTINGS, own_settings, path
from hostkit.host import FileFacts, Process
from hostkit.posture.checks import kernel as subject
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

P = make_policy()
LIVE = {path(name): f"{value}\n" for name, value in SETTINGS.items()}
LIMIT = ("systemctl", "show", "--property=DefaultLimitCORE", "--value")
INSIDE = {"/run/systemd/container": "docker"}
REDIRECTS = path("net.ipv4.conf.all.accept_redirects")


def kernel(limit="0", inside=None, **changed):
    files = {**LIVE, **{path(name.replace("__", ".")): value for name, value in changed.items()}, **(inside or {})}
    return FakeHost({LIMIT: f"{limit}\n"}, files=files)


FOLDER = "/sys/devices/system/cpu/vulnerabilities"
FLAWS, INNER = subject.no_flaw_of_the_processor_is_open, {"/run/systemd/container": "docker"}


def flaws(**told):
    return FakeHost(files={f"{FOLDER}/{name}": f"{words}\n" for name, words in {"mds": "Not affected", **told}.items()})


HALF = "Mitigation: Enhanced IBRS; IBPB: conditional; PBRSB-eIBRS: Vulnerable; BHI: Not affected"
FLAWS_CASES = [
    (FLAWS, flaws(meltdown="Mitigation: PTI"), P, "ok", "2 flaws, none open"),
    (FLAWS, flaws(mds="Mitigation: Clear CPU buffers; SMT vulnerable"), P, "ok", "neighbour's data (mds)"),
    (FLAWS, flaws(meltdown="Vulnerable"), P, "fail", "meltdown: Vulnerable"),
    (FLAWS, flaws(spec_rstack_overflow="Vulnerable: Safe RET, no microcode"), P, "fail", "no microcode"),
    (FLAWS, flaws(spectre_v2=HALF), P, "fail", "spectre_v2: Mitigation"),
    (FLAWS, flaws(itlb_multihit="KVM: Vulnerable"), P, "fail", "KVM: Vulnerable"),
    (FLAWS, flaws(itlb_multihit="KVM: Mitigation: VMX disabled"), P, "ok", "none open"),
    (FLAWS, flaws(itlb_multihit="Processor vulnerable"), P, "fail", "Processor vulnerable"),
    (FLAWS, flaws(mmio_stale_data="Unknown: No mitigations"), P, "unknown", "does not know of mmio_stale_data"),
    (FLAWS, flaws(mmio_stale_data="Unknown: No mitigations", mds="Vulnerable"), P, "fail", "mds"),
    (FLAWS, flaws(meltdown=""), P, "unknown", "nothing known of meltdown"),
    (FLAWS, flaws(meltdown="A" * 1_000_000), P, "unknown", "nothing known of meltdown"),
    (FLAWS, FakeHost(), P, "unknown", "is empty"),
    (FLAWS, FakeHost(files={**INNER, f"{FOLDER}/mds": "Vulnerable"}), P, "skip", "around this container"),
]
NAMESPACES = subject.strangers_get_no_namespace


def namespaces(*, processes=(), inside=None, **live):
    files = {path(name.replace("__", ".")): f"{value}\n" for name, value in live.items()}
    return FakeHost(files={**files, **(inside or {})}, processes=processes)


CLONE, APPARMOR = "kernel__unprivileged_userns_clone", "kernel__apparmor_restrict_unprivileged_userns"
OPEN = {CLONE: "1", "user__max_user_namespaces": "63432", "vm__unprivileged_userfaultfd": "0"}
ROOTLESS = (Process(7, 1, "rootlesskit", ("rootlesskit",), 1000),)
NAMESPACES_CASES = [
    (NAMESPACES, namespaces(**{**OPEN, CLONE: "0"}), P, "ok", "by kernel.unprivileged_userns_clone"),
    (NAMESPACES, namespaces(**{**OPEN, APPARMOR: "1"}), P, "ok", "by kernel.apparmor"),
    (NAMESPACES, namespaces(user__max_user_namespaces="0"), P, "ok", "by user.max"),
    (NAMESPACES, namespaces(**OPEN), P, "fail", "every account may make user namespaces"),
    (NAMESPACES, namespaces(), P, "fail", "every account"),
    (NAMESPACES, namespaces(**OPEN, processes=ROOTLESS), P, "fail", "uid 1000 runs a rootless engine"),
    (NAMESPACES, namespaces(**{**OPEN, CLONE: "0", "vm__unprivileged_userfaultfd": "1"}), P, "fail", "userfaultfd"),
    (NAMESPACES, FakeHost(files={path("user.max_user_namespaces"): "9"}), P, "unknown", "processes: not taught"),
    (NAMESPACES, namespaces(inside=INNER), P, "skip", "around this container"),
]
MODULES, LOCKDOWN = subject.only_signed_modules_load, "/sys/kernel/security/lockdown"


def modules(taint="0", **files):
    known = {"lockdown": LOCKDOWN, "sig": "/sys/module/module/parameters/sig_enforce",
             "disabled": path("kernel.modules_disabled")}  # fmt: skip
    told = {known[name]: f"{text}\n" for name, text in files.items()}
    return FakeHost(files={"/proc/sys/kernel/tainted": f"{taint}\n", **told})


MODULES_CASES = [
    (MODULES, modules(lockdown="none [integrity] confidentiality"), P, "ok", "lockdown is integrity"),
    (MODULES, modules(sig="Y", lockdown="[none] integrity confidentiality"), P, "ok", "sig_enforce"),
    (MODULES, modules(disabled="1"), P, "ok", "modules_disabled"),
    (MODULES, modules(lockdown="[none] integrity confidentiality", sig="N", disabled="0"), P, "fail", "neither"),
    (MODULES, modules("12288", sig="Y"), P, "fail", "without a signature"),
    (MODULES, modules("2", sig="Y"), P, "fail", "forced in"),
    (MODULES, modules("?", sig="Y"), P, "unknown", "tainted says"),
    (MODULES, FakeHost(), P, "unknown", "not taught"),
    (MODULES, FakeHost(files=INNER), P, "skip", "around this container"),
]
NETWORK, CONF = subject.no_interface_takes_strangers_routes, "/proc/sys/net/ipv4/conf"


def network(*more, forward="0", filtered="2", inside=None, **changed):
    """Return a host with eth0, all of it closed but what is changed, and with these folders of interfaces besides."""
    own = {path(name): f"{value}\n" for name, value in {**own_settings(["eth0"]), **changed}.items()} | (inside or {})
    filters = {f"{CONF}/all/rp_filter": f"{filtered}\n", f"{CONF}/eth0/rp_filter": "0\n"}
    folders = [f"{CONF}/{name}" for name in ("all", "default", "lo", "eth0", *more)]
    facts = dict.fromkeys(folders, FileFacts(0o555, 0, 0, "directory"))
    return FakeHost(files={**own, **filters, "/proc/sys/net/ipv4/ip_forward": f"{forward}\n"}, facts=facts)


def bridge(**told):
    made = network("docker0", "veth12ab", forward="1")
    made.files |= {f"/proc/sys/net/ipv6/conf/docker0/{name}": f"{value}\n" for name, value in told.items()}
    return made


NONE, DEFAULTS = {"exists": False}, {"accept_ra": "1", "disable_ipv6": "0", "forwarding": "0"}
REDIRECT = "net/ipv6/conf/eth0/accept_redirects"
NETWORK_CASES = [
    (NETWORK, network(), P, "ok", "1 interfaces and 0 of containers"),
    (NETWORK, network(filtered="1"), P, "ok", "1 interfaces"),
    (NETWORK, network(filtered="0"), P, "fail", "eth0 does not ask where a packet comes from"),
    (NETWORK, network(**{REDIRECT: "1"}), P, "fail", f"{REDIRECT} is 1"),
    (NETWORK, network(forward="1"), P, "ok", "1 interfaces"),
    (NETWORK, network(forward="1"), P, "fail", "there is no engine", NONE),
    (NETWORK, network(forward="1", inside=INNER), P, "ok", "1 interfaces", NONE),
    (NETWORK, network("hki0a1b2c3d", forward="1"), P, "ok", "1 of containers", NONE),
    (NETWORK, bridge(**{**DEFAULTS, "accept_ra": "0"}), P, "ok", "1 of containers"),
    (NETWORK, bridge(**{**DEFAULTS, "disable_ipv6": "1"}), P, "ok", "1 of containers"),
    (NETWORK, bridge(**{**DEFAULTS, "forwarding": "1"}), P, "ok", "1 of containers"),
    (NETWORK, bridge(**DEFAULTS), P, "fail", "docker0 takes routes that a container announces"),
    (NETWORK, bridge(**{**DEFAULTS, "forwarding": "1", "accept_ra": "2"}), P, "fail", "docker0 takes routes"),
    (NETWORK, network(*(f"eth{number}" for number in range(1, 300))), P, "unknown", "too many to look at"),
    (NETWORK, FakeHost(), P, "unknown", "not taught"),
]

CASES = [
    (subject.settings_are_in_force, kernel(), P, "ok", f"{len(SETTINGS)} settings"),
    (subject.settings_are_in_force, kernel(kernel__dmesg_restrict="0"), P, "fail", "kernel.dmesg_restrict is 0"),
    (subject.settings_are_in_force, kernel(kernel__unprivileged_bpf_disabled="1"), P, "ok", "settings"),
    (
        subject.settings_are_in_force,
        kernel(inside=INSIDE, kernel__dmesg_restrict="0"),
        P,
        "ok",
        "around this container",
    ),
    (subject.settings_are_in_force, FakeHost(files={**LIVE, **INSIDE, REDIRECTS: "1"}), P, "fail", "redirects is 1"),
    (subject.settings_are_in_force, FakeHost(), P, "fail", "shows none of them"),
    (subject.settings_are_in_force, FakeHost(facts=dict.fromkeys(LIVE, "there")), P, "unknown", "not taught"),
    (subject.nothing_dumps_core, kernel(), P, "ok", "nowhere"),
    (subject.nothing_dumps_core, kernel(kernel__core_pattern="core"), P, "fail", "core_pattern is core"),
    (subject.nothing_dumps_core, kernel("infinity"), P, "fail", "DefaultLimitCORE is infinity"),
    (subject.nothing_dumps_core, kernel("infinity", INSIDE), P, "fail", "services may dump core"),
    (subject.nothing_dumps_core, kernel(inside=INSIDE, kernel__core_pattern="core"), P, "ok", "around this container"),
    (subject.nothing_dumps_core, FakeHost(), P, "unknown", "not taught"),
    *FLAWS_CASES,
    *NAMESPACES_CASES,
    *MODULES_CASES,
    *NETWORK_CASES,
]

OUTER = """
cd /proc/sys/net
for name in ipv4/conf/*/accept_redirects ipv4/conf/*/send_redirects ipv6/conf/*/accept_redirects \\
    ipv6/conf/*/accept_source_route ipv4/ip_forward
do [ ! -e $name ] || echo 0 > $name; done
echo 2 > ipv4/conf/all/rp_filter
"""
LAID = f"mountpoint -q {FOLDER} || mount -t tmpfs tmpfs {FOLDER}; echo 'Mitigation: PTI' >{FOLDER}/meltdown"
SIGN = "/sys/module/module/parameters/sig_enforce"
BROKEN = [
    Broken(NETWORK, OUTER, "echo 1 > /proc/sys/net/ipv4/conf/eth0/accept_redirects", "eth0/accept_redirects is 1"),
    Broken(NETWORK, OUTER, "echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter", "does not ask where"),
    # A processor's flaws and a module's lock do not come and go: another's word for them is laid over the kernel's.
    Broken(FLAWS, LAID, f"echo Vulnerable >{FOLDER}/meltdown", "meltdown: Vulnerable", "vm"),
    Broken(
        NAMESPACES, "sysctl -qw user.max_user_namespaces=0", "sysctl -qw user.max_user_namespaces=1000",
        "every account may", "vm",
    ),
    Broken(
        MODULES, f"echo Y >/run/signed; mountpoint -q {SIGN} || mount --bind /run/signed {SIGN}",
        "echo N >/run/signed", "neither lockdown", "vm",
    ),
]  # fmt: skip

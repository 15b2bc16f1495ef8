import pytest

from hostkit.host import FileFacts, Process
from hostkit.posture.checks import ssh as subject
from hostkit.posture.trials import judged
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

P = make_policy()
SOLO = make_policy({"profile": "solo"})
GOOD = """\
passwordauthentication no
kbdinteractiveauthentication no
permitemptypasswords no
permitrootlogin without-password
permituserenvironment no
allowagentforwarding no
x11forwarding no
permittunnel no
allowtcpforwarding yes
"""
SERVER = {"/usr/sbin/sshd": ""}


def sshd(said=GOOD, **more):
    return FakeHost({("/usr/sbin/sshd", "-T"): said}, files=SERVER, **more)


INIT, DROPBEAR = Process(1, 0, "systemd", ("/sbin/init",), 0), Process(9, 1, "dropbear", ("dropbear",), 0)
PASSWORDS = GOOD.replace("passwordauthentication no", "passwordauthentication yes")


def configured(text, root=True, **more):
    """Return a machine with this sshd_config, and drop-ins by their name."""
    files = {f"/etc/ssh/sshd_config.d/{name}.conf": lines for name, lines in more.items()}
    return FakeHost({("/usr/sbin/sshd", "-T"): GOOD}, {**SERVER, "/etc/ssh/sshd_config": text, **files}, root=root)


excepted = subject.no_match_block_opens_again
DROPPED = "Include /etc/ssh/sshd_config.d/*.conf\nPasswordAuthentication no\n"
IN_MATCH = "Match Address 192.0.2.0/24\n\tPasswordAuthentication yes # for now\n"
EXCEPTIONS = [
    (excepted, configured(DROPPED), P, "ok", "no exception"),
    (excepted, configured("PasswordAuthentication yes\n"), P, "ok", "no exception"),  # that is ssh-keys' to say
    (excepted, configured(IN_MATCH), P, "fail", "/etc/ssh/sshd_config: passwordauthentication yes"),
    (excepted, configured("Match User a\n# PermitTunnel yes\n#PermitTunnel yes\n"), P, "ok", "no exception"),
    (excepted, configured('match user ann\nPASSWORDAUTHENTICATION="yes"\n'), P, "fail", "passwordauthentication yes"),
    (excepted, configured("Match User a\nChallengeResponseAuthentication yes\n"), P, "fail", "kbdinteractive"),
    (excepted, configured("Match User a\nPermitRootLogin yes\n"), P, "fail", "permitrootlogin yes"),
    (excepted, configured("Match User a\nPermitRootLogin no\nMatch all\nX11Forwarding yes\n"), P, "ok", "no exc"),
    (excepted, configured(DROPPED, a=IN_MATCH), P, "fail", "/etc/ssh/sshd_config.d/a.conf: passwordauthentication yes"),
    (excepted, configured("Match User a\nInclude sshd_config.d/a.conf\n", a="PermitTunnel yes\n"), P, "fail", "permit"),
    (excepted, configured("Match User a\nAllowTcpForwarding yes\n"), P, "fail", "allowtcpforwarding yes"),
    (excepted, configured("Match User a\nAllowTcpForwarding yes\n"), SOLO, "ok", "no exception"),
    (excepted, configured("Include sshd_config\n"), P, "unknown", "more than 200 files"),
    (excepted, configured("Include gone.conf\n"), P, "unknown", "not taught"),
    (excepted, configured(DROPPED, root=False), P, "unknown", "to root only"),
    (excepted, FakeHost(processes=(INIT,)), P, "ok", "no SSH server"),
]

few = subject.ssh_gives_few_tries
FEW = "maxauthtries 4\nlogingracetime 30\nmaxstartups 10:30:60\n"
ATTEMPTS = [
    (few, sshd(FEW), P, "ok", "4 tries in 30 s"),
    (few, sshd(FEW.replace("tries 4", "tries 6")), P, "fail", "maxauthtries 6"),
    (few, sshd(FEW.replace("time 30", "time 120")), P, "fail", "logingracetime 120"),
    (few, sshd(FEW.replace("time 30", "time 0")), P, "fail", "logingracetime 0"),  # 0 is for ever
    (few, sshd(FEW.replace(":60", ":500")), P, "fail", "maxstartups lets 500 wait"),
    (few, sshd(FEW.replace("10:30:60", "600")), P, "fail", "maxstartups lets 600 wait"),
    (few, sshd(FEW.replace("tries 4", "tries many")), P, "unknown", "no number for maxauthtries"),
    (few, sshd("port 22\n"), P, "unknown", "no number for"),
    (few, sshd(FEW, root=False), P, "unknown", "to root only"),
    (few, FakeHost(processes=(INIT,)), P, "ok", "no SSH server"),
]

strong = subject.ssh_offers_nothing_weak
LISTS = """\
ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-ctr
macs umac-128-etm@openssh.com,hmac-sha2-256
kexalgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256,diffie-hellman-group14-sha256
hostkeyalgorithms ssh-ed25519,rsa-sha2-512,sk-ssh-ed25519-cert-v01@openssh.com
pubkeyacceptedalgorithms ssh-ed25519,rsa-sha2-256
"""


def offering(old, new):
    return sshd(LISTS.replace(old, new))


CRYPTO = [
    (strong, sshd(LISTS), P, "ok", "13 algorithms, none weak"),
    (strong, offering("aes128-ctr", "3des-cbc"), P, "fail", "ciphers 3des-cbc"),
    (strong, offering("hmac-sha2-256", "hmac-sha1-etm@openssh.com"), P, "fail", "macs hmac-sha1-etm@openssh.com"),
    (strong, offering("umac-128-etm", "umac-64-etm"), P, "fail", "macs umac-64-etm@openssh.com"),
    (strong, offering("group14-sha256", "group14-sha1"), P, "fail", "kexalgorithms diffie-hellman-group14-sha1"),
    (strong, offering("diffie", "gss-group14-sha1-x,diffie"), P, "fail", "kexalgorithms gss-group14-sha1-x"),
    (strong, offering("rsa-sha2-512", "ssh-rsa"), P, "fail", "hostkeyalgorithms ssh-rsa"),
    (strong, offering("rsa-sha2-256", "ssh-dss"), P, "fail", "pubkeyacceptedalgorithms ssh-dss"),
    (strong, sshd(LISTS.replace("macs", "mac")), P, "unknown", "does not say its macs"),
    (strong, sshd(LISTS, root=False), P, "unknown", "to root only"),
    (strong, FakeHost(processes=(INIT,)), P, "ok", "no SSH server"),
]

hostkeys = subject.host_keys_are_strong
ED, RSA = "/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_rsa_key"
NAMED = f"hostkey {ED}\nhostkey {RSA}\n"


def keyed(rsa="3072 SHA256:x root@box (RSA)\n", mode=0o600, uid=0, root=True, named=NAMED):
    told = {
        ("ssh-keygen", "-l", "-f", ED): "256 SHA256:x no comment (ED25519)\n",
        ("ssh-keygen", "-l", "-f", RSA): rsa,
        ("/usr/sbin/sshd", "-T"): named,
    }
    facts = {ED: FileFacts(0o600, 0, 0, "file"), RSA: FileFacts(mode, uid, 0, "file")}
    return FakeHost(told, SERVER, facts, root=root)


HOSTKEYS = [
    (hostkeys, keyed(), P, "ok", "2 keys"),
    (hostkeys, keyed("2048 SHA256:x root@box (RSA)\n"), P, "fail", f"{RSA} is RSA of 2048 bits"),
    (hostkeys, keyed("4096 SHA256:x (DSA)\n"), P, "fail", f"{RSA} is DSA of 4096 bits"),
    (hostkeys, keyed(mode=0o640), P, "fail", f"{RSA} is mode 0640 of uid 0"),
    (hostkeys, keyed(uid=1000), P, "fail", f"{RSA} is mode 0600 of uid 1000"),
    (hostkeys, keyed("is not a key file\n"), P, "unknown", "not understood"),
    (hostkeys, keyed("\n"), P, "unknown", "not understood"),
    (hostkeys, keyed(named="port 22\n"), P, "unknown", "names no host key"),
    (hostkeys, keyed(root=False), P, "unknown", "to root only"),
    (hostkeys, FakeHost(processes=(INIT,)), P, "ok", "no SSH server"),
]


CASES = [
    (subject.ssh_wants_keys, sshd(), P, "ok", "permitrootlogin without-password"),
    (subject.ssh_wants_keys, sshd(PASSWORDS), P, "fail", "passwordauthentication yes"),
    (subject.ssh_wants_keys, sshd(GOOD.replace("without-password", "yes")), P, "fail", "permitrootlogin yes"),
    (subject.ssh_wants_keys, FakeHost(processes=(INIT,)), P, "ok", "no SSH server"),
    (subject.ssh_wants_keys, FakeHost(processes=(INIT, DROPBEAR)), P, "unknown", "dropbear runs"),
    (subject.ssh_wants_keys, sshd(""), P, "fail", "passwordauthentication is not said"),
    (subject.ssh_wants_keys, sshd(root=False), P, "unknown", "to root only"),
    (subject.ssh_wants_keys, FakeHost(files=SERVER), P, "unknown", "not taught"),
    (subject.ssh_forwards_nothing_of_the_administrators, sshd(), SOLO, "ok", "allowagentforwarding no"),
    (subject.ssh_forwards_nothing_of_the_administrators, sshd(), P, "fail", "allowtcpforwarding yes"),
    (subject.ssh_forwards_nothing_of_the_administrators, sshd(root=False), P, "unknown", "to root only"),
    *EXCEPTIONS,
    *ATTEMPTS,
    *CRYPTO,
    *HOSTKEYS,
]


@pytest.mark.parametrize("check", [excepted, few, strong, hostkeys], ids=lambda check: check.id)
def test_another_ssh_server_is_not_green(check):
    assert judged(check, FakeHost(processes=(INIT, DROPBEAR)), P).status == "unknown"


def test_the_ssh_server_of_a_container_is_not_this_machines():
    spaces = {"/proc/self/ns/pid": "pid:[1]", "/proc/9/ns/pid": "pid:[2]"}
    assert judged(few, FakeHost(processes=(INIT, DROPBEAR), links=spaces), P).status == "ok"


FOLDER = "/etc/ssh/sshd_config.d"
DROP, MATCH, TRY = f"{FOLDER}/00-a-try.conf", f"{FOLDER}/99-try.conf", "/etc/ssh/ssh_host_try_key"
BACK = f"rm -f {DROP} {MATCH}; mkdir -p /run/sshd {FOLDER}; "
LESS = f"""cat > {FOLDER}/00-less.conf <<'END'
LoginGraceTime 30
MaxAuthTries 4
MaxStartups 10:30:60
Ciphers -*-cbc,*-cbc@*,arcfour*
MACs -*md5*,*sha1*,*ripemd*,umac-64*
KexAlgorithms -*sha1,*-sha1-*
HostKeyAlgorithms -ssh-dss*,ssh-rsa,ssh-rsa-cert*
PubkeyAcceptedAlgorithms -ssh-dss*,ssh-rsa,ssh-rsa-cert*
END
"""
KEYED = f"""cat > {FOLDER}/00-keyed.conf <<'END'
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowAgentForwarding no
X11Forwarding no
AllowTcpForwarding no
END
"""
BROKEN = [
    Broken(subject.ssh_wants_keys, BACK + KEYED, f"echo 'PermitRootLogin yes' > {DROP}", "permitrootlogin yes"),
    Broken(
        subject.ssh_forwards_nothing_of_the_administrators,
        BACK + KEYED,
        f"echo 'AllowAgentForwarding yes' > {DROP}",
        "allowagentforwarding yes",
    ),
    Broken(
        excepted,
        BACK,
        f"printf 'Match Address 192.0.2.0/24\\n  PasswordAuthentication yes\\n' > {MATCH}",
        f"{MATCH}: passwordauthentication yes",
    ),
    Broken(few, BACK + LESS, f"echo 'MaxAuthTries 20' > {DROP}", "maxauthtries 20"),
    Broken(few, BACK + LESS, f"echo 'LoginGraceTime 0' > {DROP}", "logingracetime 0"),
    Broken(strong, BACK + LESS, f"echo 'Ciphers +aes128-cbc' > {DROP}", "ciphers aes128-cbc"),
    Broken(strong, BACK + LESS, f"echo 'KexAlgorithms +diffie-hellman-group14-sha1' > {DROP}", "group14-sha1"),
    Broken(
        hostkeys,
        BACK + f"rm -f {TRY} {TRY}.pub; ssh-keygen -A",
        f"ssh-keygen -q -t rsa -b 2048 -N '' -f {TRY}; echo 'HostKey {TRY}' > {DROP}",
        f"{TRY} is RSA of 2048 bits",
    ),
]

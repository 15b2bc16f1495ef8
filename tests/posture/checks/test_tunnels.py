import json

import pytest

from hostkit.host import FileFacts, Process
from hostkit.posture.checks import tunnels as subject
from hostkit.posture.trials import judged
from tests.conftest import FakeHost, make_policy
from tests.machines.broken import Broken

P = make_policy()
INIT = Process(1, 0, "systemd", ("/sbin/init",), 0)
running, over_ssh, boot = (
    subject.no_public_tunnel_runs,
    subject.ssh_opens_nothing_for_others,
    subject.no_tunnel_starts_by_itself,
)


def seen(*commands, first=INIT, **more):
    """Return a host on which these command lines run, each under its program's name."""
    lines = [command.split(" ") for command in commands]
    made = [
        Process(n, 1, words[0].rpartition("/")[2][:15], tuple(words), 1000) for n, words in enumerate(lines, start=50)
    ]
    return FakeHost(processes=(first, *made), **more)


def sharing(said, *commands):
    return seen("/usr/sbin/tailscaled", *commands, commands={("tailscale", "serve", "status", "--json"): said})


FUNNEL = json.dumps({"TCP": {"443": {"HTTPS": True}}, "AllowFunnel": {"box.example.ts.net:443": True}})
HIDDEN = Process(1, 0, "", (), 0)
USERS = "/home/ann/.config/systemd/user/"
PASSWD = {"/etc/passwd": "ann:x:1000:1000::/home/ann:/bin/bash\n"}
WANTS = "/etc/systemd/system/multi-user.target.wants/"
UNIT = "[Service]\nExecStart={}\n"


def starting(files=(), links=(), facts=(), **more):
    known = {"/home/ann": FileFacts(0o700, 1000, 1000, "directory"), **dict(facts)}
    return FakeHost(files={**PASSWD, **dict(files)}, facts=known, links=dict(links), **more)


CASES = [
    (running, seen("/usr/bin/ssh box", "node /srv/server.js"), P, "ok", "none of 3 processes"),
    (running, seen("/opt/ngrok http 80"), P, "fail", "ngrok runs (pid 50)"),
    (running, seen("/usr/bin/Cloudflared tunnel run"), P, "fail", "cloudflared runs"),
    (running, seen("/usr/bin/python3 -u /opt/pagekite.py 80 a.pagekite.me"), P, "fail", "pagekite runs"),
    (running, seen("node /usr/local/bin/lt --port 80"), P, "fail", "localtunnel runs"),
    (running, seen("/usr/bin/lt"), P, "ok", ""),
    (running, seen("tailscale funnel 3000"), P, "fail", "tailscale funnel runs"),
    (running, seen("/usr/share/code/code tunnel --name box"), P, "fail", "code tunnel runs"),
    (running, sharing("{}"), P, "ok", ""),
    (running, sharing("null\n"), P, "unknown", "what Tailscale serves cannot be read"),
    (running, sharing(FUNNEL), P, "fail", "tailscale funnel is open at box.example.ts.net:443, tailscale serves 443"),
    (running, sharing("<html>"), P, "unknown", "what Tailscale serves cannot be read"),
    (running, seen("/usr/sbin/tailscaled"), P, "unknown", "not taught"),
    (running, seen("/usr/sbin/tailscaled", "bore local 80"), P, "fail", "bore runs"),
    (running, seen(first=HIDDEN), P, "unknown", "hidden"),
    (running, FakeHost(processes=(Process(7, 1, "sh", ("sh",), 0),)), P, "unknown", "hidden"),
    (running, FakeHost(), P, "unknown", "not taught"),
    (over_ssh, seen("ssh box", "ssh -L 8080:localhost:80 box", "ssh -N -W a:22 box"), P, "ok", "no ssh forwards"),
    (over_ssh, seen("ssh box make -R"), P, "ok", ""),
    (over_ssh, seen("ssh -o Tunnel=no box"), P, "ok", ""),
    (over_ssh, seen("ssh -L [::1]:80:localhost:80 box"), P, "ok", ""),
    (over_ssh, seen("ssh -fNR 80:localhost:80 box"), P, "fail", "ssh -R 80:localhost:80"),
    (over_ssh, seen("ssh box -R80:localhost:80"), P, "fail", "ssh -R 80"),
    (over_ssh, seen("/usr/bin/ssh -i key -p 22 -D 1080 box"), P, "fail", "-D 1080: a proxy for others"),
    (over_ssh, seen("ssh -w 0:0 box"), P, "fail", "a tunnel device"),
    (over_ssh, seen("ssh -L *:80:localhost:80 box"), P, "fail", "open to the network"),
    (over_ssh, seen("ssh -L :80:localhost:80 box"), P, "fail", "open to the network"),
    (over_ssh, seen("ssh -L [::]:80:[::1]:80 box"), P, "fail", "open to the network"),
    (over_ssh, seen("ssh -L 192.0.2.7:80:localhost:80 box"), P, "fail", "open to the network"),
    (over_ssh, seen("ssh -g -L 80:localhost:80 box"), P, "fail", "open to the network"),
    (over_ssh, seen("ssh -oGatewayPorts=yes -L 80:localhost:80 box"), P, "fail", "open to the network"),
    (over_ssh, seen("ssh -o RemoteForward=80 box"), P, "fail", "-o RemoteForward=80"),
    (over_ssh, seen("/usr/lib/autossh/autossh -M 0 box"), P, "fail", "autossh runs"),
    (over_ssh, seen(first=HIDDEN), P, "unknown", "hidden"),
    (over_ssh, FakeHost(), P, "unknown", "not taught"),
    (boot, starting({"/etc/crontab": "# ngrok http 80\n5 4 * * * root backup\n"}), P, "ok", "none of 1 files"),
    (boot, starting({WANTS + "cloudflared@home.service": ""}), P, "fail", "starts cloudflared"),
    (boot, starting({WANTS + "x.service": UNIT.format('"/opt/frpc" -c y')}), P, "fail", "starts frpc"),
    (
        boot,
        starting({WANTS + "x.service": UNIT.format("/usr/bin/ssh \\\n -NR 80:localhost:80 a")}),
        P,
        "fail",
        "ssh -R",
    ),
    (
        boot,
        starting({"/etc/cron.d/x": "@reboot root /bin/sh -c 'tailscale funnel 80'\n"}),
        P,
        "fail",
        "tailscale funnel",
    ),
    (boot, starting({"/var/spool/cron/crontabs/ann": "@reboot /home/ann/ngrok http 80\n"}), P, "fail", "crontabs/ann"),
    (
        boot,
        starting(
            {"/usr/lib/systemd/system/x.service": UNIT.format("/usr/bin/autossh a")},
            {WANTS + "x.service": "/usr/lib/systemd/system/x.service"},
            facts={WANTS + "x.service": FileFacts(0o777, 0, 0, "link")},
        ),
        P,
        "fail",
        "x.service starts autossh",
    ),
    (
        boot,
        starting(
            {USERS + "t.service": UNIT.format("bore local 80")},
            {USERS + "default.target.wants/t.service": USERS + "t.service"},
        ),
        P,
        "fail",
        "starts bore",
    ),
    (boot, starting({"/home/ann/.config/autostart/a.desktop": "Exec=ngrok http 1\n"}), P, "fail", "starts ngrok"),
    (boot, starting({USERS + "t.service": UNIT.format("bore 80")}), P, "ok", "none of 0"),
    (boot, starting(root=False), P, "unknown", "without root"),
    (boot, starting({"/etc/crontab": "@reboot root ngrok\n"}, root=False), P, "fail", "starts ngrok"),
    (
        boot,
        starting({"/etc/crontab": ""}, facts={"/etc/crontab": FileFacts(0o644, 0, 0, "file", size=70_000)}),
        P,
        "unknown",
        "too long",
    ),
    (boot, starting(deep=["/home/ann/.config/systemd/user"]), P, "unknown", "more than 1500 entries"),
    (boot, starting({f"/etc/cron.d/{n}": "" for n in range(1501)}), P, "unknown", "1501 files start something"),
    (boot, FakeHost(), P, "unknown", "not taught"),
]
FAKE = "install -d /opt/t && cp /bin/sleep /opt/t/{name}"
END = "for pid in $(cat /run/t.pid 2>/dev/null); do kill $pid 2>/dev/null || :; done; rm -f /run/t.pid"
START = "setsid {} >/dev/null 2>&1 </dev/null & echo $! > /run/t.pid; sleep 0.3"
BROKEN = [
    Broken(running, END, f"{FAKE.format(name='ngrok')}; {START.format('/opt/t/ngrok 600')}", "ngrok runs"),
    Broken(
        running,
        END,
        f"{FAKE.format(name='lt')}; ln -sf /bin/sh /opt/t/node; echo 'sleep 600; :' > /opt/t/lt; "
        + START.format("/opt/t/node /opt/t/lt"),
        "localtunnel runs",
    ),
    Broken(
        over_ssh,
        END,
        # Its far side is a pipe that says nothing: nothing is sent anywhere.
        START.format("ssh -F /dev/null -o ProxyCommand='sleep 600' -NR 80:localhost:80 nobody.invalid"),
        "ssh -R 80:localhost:80",
    ),
    Broken(
        boot,
        "systemctl disable -q t 2>/dev/null || :; rm -f /etc/systemd/system/t.service",
        "printf '[Service]\\nExecStart=/opt/cloudflared tunnel run\\n[Install]\\nWantedBy=multi-user.target\\n' "
        "> /etc/systemd/system/t.service; systemctl enable -q t",
        "starts cloudflared",
    ),
    Broken(
        boot,
        "rm -rf /home/admin/.config",
        "mkdir -p /home/admin/.config/systemd/user/default.target.wants; cd /home/admin/.config/systemd/user; "
        "printf '[Service]\\nExecStart=ssh -NR 80:localhost:80 a\\n' > t.service; "
        "ln -s ../t.service default.target.wants/t.service",
        "starts ssh -R",
    ),
]


@pytest.mark.parametrize("junk", ["\n\x1b[31m", "\udcff\u2028", "x" * 1_000_000])
def test_hostile_command_lines_neither_break_nor_hide(junk):
    host = seen("ngrok")
    host.readings["processes"] += (Process(9, 1, junk, ("ssh", f"-R{junk}"), 7), Process(8, 1, junk, (junk,) * 3, 7))
    assert judged(running, host, P).detail == "ngrok runs (pid 50)"
    found = judged(over_ssh, host, P)
    assert found.status == "fail"
    assert len(found.detail) < 200

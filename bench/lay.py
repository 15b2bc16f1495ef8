"""The files that the gateway's measurements stand on: certificates, rules with services, a vault, peers' settings."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from hostkit.gateway.inspect.vault import leaf_file
from hostkit.gateway.rules import Rules
from hostkit.gateway.services import Service
from hostkit.launch.plan import rules_alone
from hostkit.launch.vault import leaf_name
from hostkit.policy.load import parse
from hostkit.secrets import authority
from hostkit.secrets.placeholders import placeholder, shape

GATEWAY, SQUID, MITMPROXY = 3128, 3129, 3130
TUNNELLED, OPENED = "tunnel.bench.example", "api.bench.example"
LOOKED_UP = "looked-up.bench.example"
"""A name whose answers have no life, so that it is looked up for each connection."""
BIG = 1 << 30
"""Octets of the download that the throughput is measured by."""
PIECES = (28_000, 50_000)
_POLICY = f"""\
version: 1
host: {{resolvers: [198.51.100.53], profile: solo, pool: 10.231.240.0/24}}
clients:
  bench:
    agreement: {{permitted: true, document: bench.pdf, expires: 2099-01-01}}
    trust: analyst
    agent: {{preset: shell}}
    egress: [{{name: {TUNNELLED}}}, {{name: {LOOKED_UP}}}]
    services:
      slack: {{secret: slack, team: T0123456, channels: [C0123456]}}
      anthropic: {{secret: anthropic}}
      openai: {{secret: openai, models: ["gpt-*"]}}
      github: {{secret: github, owner: acme, repositories: [dbt]}}
      tool: {{kind: generic, hosts: [{OPENED}], methods: [GET, POST], paths: ["/**"], secret: tool,
        place: "header:authorization=Bearer {{}}"}}
    limits: {{records: 2GiB}}
    secrets:
      slack: {{source: "env:A"}}
      anthropic: {{source: "env:B"}}
      openai: {{source: "env:C"}}
      github: {{source: "env:D"}}
      tool: {{source: "env:E"}}
"""
_NGINX = """\
daemon off; worker_processes 1; pid {place}/nginx.pid; error_log {place}/nginx.log; user root;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600; client_max_body_size 0; sendfile on;
  client_body_temp_path {place}/body; proxy_temp_path {place}/proxy; fastcgi_temp_path {place}/fastcgi;
  uwsgi_temp_path {place}/uwsgi; scgi_temp_path {place}/scgi; default_type application/json;
  server {{
    listen 127.0.0.1:443 ssl backlog=4096; ssl_certificate {place}/far.pem; ssl_certificate_key {place}/far.pem;
    ssl_protocols TLSv1.3; ssl_ecdh_curve prime256v1:X25519; root {place}/www;
    location = /post {{ return 200 '{{"ok": true, "id": "0123456789abcdef"}}'; }}
  }}
}}
"""
_SQUID = """\
http_port 127.0.0.1:{port} ssl-bump tls-cert={place}/far.pem generate-host-certificates=off
acl hello at_step SslBump1
ssl_bump peek hello
ssl_bump splice all
http_access allow localhost
cache deny all
access_log stdio:{place}/squid/access.log
cache_log {place}/squid/cache.log
pid_filename {place}/squid/squid.pid
coredump_dir {place}/squid
hosts_file none
dns_nameservers 127.0.0.1
pinger_enable off
unlinkd_program {tree}/usr/lib/squid/unlinkd
logfile_daemon {tree}/usr/lib/squid/log_file_daemon
sslcrtd_program {tree}/usr/lib/squid/security_file_certgen -s {place}/squid/certs -M 4MB
sslcrtd_children 1 startup=0
mime_table {tree}/usr/share/squid/mime.conf
icon_directory {tree}/usr/share/squid/icons
error_directory {tree}/usr/share/squid-langpack/en
shutdown_lifetime 0 seconds
"""
_FOLDERS = ("www", "records", "squid", "mitmproxy", "near", "far", "vault/1")


def lay(place: Path, tree: Path) -> None:
    """Lay everything down; the names of the origin resolve to 127.0.0.1, which the rules let them."""
    place.chmod(0o755)
    for name in _FOLDERS:
        (place / name).mkdir(parents=True)
    (place / "squid").chmod(0o777)
    far = authority.issue("far", ("*.bench.example",), 1, datetime.now(UTC), place / "far")
    (place / "far-root.pem").write_bytes(far.root_pem)
    (place / "far.pem").write_bytes(far.leaves[0].key_pem + far.leaves[0].chain_pem)
    (place / "far.pem").chmod(0o644)
    (place / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    _lay_origin(place)
    _lay_rules(place, far.root_pem.decode())
    (place / "squid.conf").write_text(_SQUID.format(place=place, tree=tree, port=SQUID))


def _lay_origin(place: Path) -> None:
    for size in PIECES:
        (place / "www" / str(size)).write_bytes(b"x" * size)
    (place / "www" / "small").write_bytes(b'{"ok": true}')
    with (place / "www" / "big").open("wb") as big:
        big.truncate(BIG)
    (place / "nginx.conf").write_text(_NGINX.format(place=place))


def _lay_rules(place: Path, roots: str) -> None:
    """Write the rules of a client with five services, and the vault that they need."""
    plain = rules_alone(parse(_POLICY), "bench")
    (place / "held").write_text(placeholder(shape("sk-"), "bench"))
    services = tuple(_service(one, roots, held(place)) for one in plain.services)
    grants = tuple(replace(grant, networks=("127.0.0.0/8",)) for grant in plain.grants)
    rules = replace(plain, address="127.0.0.1", refuse=(), resolvers=("127.0.0.1",), grants=grants, services=services)
    (place / "rules.json").write_text(rules.to_json())
    _lay_vault(place, rules)


def held(place: Path) -> str:
    """Return the placeholder that the agent holds for the service that is measured."""
    return (place / "held").read_text()


def _service(service: Service, roots: str, placeholder: str) -> Service:
    if OPENED not in service.hosts:
        return service
    credential = replace(service.credentials[0], placeholder=placeholder)
    return replace(service, roots=roots, credentials=(credential,))


def _lay_vault(place: Path, rules: Rules) -> None:
    hosts = [host for service in rules.services for host in service.hosts]
    near = authority.issue("bench", {leaf_name(host) for host in hosts}, 1, datetime.now(UTC), place / "near")
    (place / "near-root.pem").write_bytes(near.root_pem)
    leaves = {leaf.name: leaf.chain_pem + leaf.key_pem for leaf in near.leaves}
    vault = place / "vault" / str(rules.generation)
    for host in hosts:
        (vault / leaf_file(host)).write_bytes(leaves[leaf_name(host)])
    for number, known in enumerate(known for service in rules.services for known in service.credentials):
        (vault / f"key-{known.secret}").write_text(f"sk-real-{number}-0123456789abcdef0123456789abcdef")

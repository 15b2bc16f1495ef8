"""Where people's credentials lie: one table of paths for each family of them. Data; nothing here looks."""

from collections.abc import Mapping
from typing import NamedTuple


class Form(NamedTuple):
    """A path below a home, or of the whole machine where it begins with /; * stands for any part of one name.

    A file counts as a credential when it `holds` what this pattern finds, where there is one.
    """

    path: str
    holds: str = ""
    kind: str = "file"


def _files(*paths: str, holds: str = "") -> tuple[Form, ...]:
    return tuple(Form(path, holds) for path in paths)


def _sockets(*paths: str) -> tuple[Form, ...]:
    return tuple(Form(path, kind="socket") for path in paths)


_KEY = r"PRIVATE KEY-----|PuTTY-User-Key-File"
_URL = r"://[^/\s:@]+:[^/\s@]+@"
_DOCKER = r'"(auth|identitytoken|registrytoken)"\s*:\s*"[^"]'

CLOUD = (
    *_files(".aws/credentials", ".aws/sso/cache/*.json", ".aws/cli/cache/*.json", ".aws/login/cache/*.json"),
    *_files(".aws/config", holds="aws_secret_access_key|aws_session_token"),
    *_files(".config/gcloud/*.db", ".config/gcloud/application_default_credentials.json"),
    *_files(".config/gcloud/legacy_credentials/*/*.json", ".boto", ".s3cfg", ".mc/config.json", ".oci/*.pem"),
    *_files(".oci/sessions/*/token", ".azure/msal_token_cache.*", ".azure/accessTokens.json"),
    *_files(".azure/service_principal_entries.*", ".config/doctl/config.yaml", ".config/hcloud/cli.toml"),
    *_files(".config/scw/config.yaml", ".config/linode-cli", ".config/openstack/clouds.yaml", ".bluemix/config.json"),
    *_files(".terraform.d/credentials.tfrc.json", ".pulumi/credentials.json", ".fly/config.yml", ".vault-token"),
    *_files(".terraformrc", holds=r"\btoken\b"),
    *_files(".local/share/com.vercel.cli/auth.json", ".config/netlify/config.json", ".wrangler/config/default.toml"),
    *_files(".config/.wrangler/config/default.toml", ".claude/.credentials.json", ".codex/auth.json"),
    *_files(".gemini/oauth_creds.json", ".config/anthropic/credentials/*.json"),
)
KEYS = (
    *_files(".ssh/*", "*.pem", "*.key", "*.ppk", holds=_KEY),
    *_files(".gnupg/private-keys-v1.d/*.key", ".gnupg/secring.gpg", ".config/sops/age/keys.txt"),
    *_files(".config/age/keys.txt", ".minisign/minisign.key", "/etc/ssh/ssh_host_*_key", "/etc/wireguard/*.conf"),
    *_files("/etc/ssl/private/*", "/etc/letsencrypt/archive/*/privkey*.pem"),
)
SOCKETS = (
    *_sockets("/tmp/ssh-*/agent.*", "/run/user/*/ssh-agent.socket", "/run/user/*/openssh_agent"),  # noqa: S108 - theirs
    *_sockets("/run/user/*/keyring/*", "/run/user/*/gcr/*", "/run/user/*/gnupg/S.gpg-agent*"),
    *_sockets("/run/user/*/gnupg/*/S.gpg-agent*", ".gnupg/S.gpg-agent*", ".ssh/*", ".ssh/agent/*"),
    *_sockets(".1password/agent.sock", ".bitwarden-ssh-agent.sock"),
)
GIT = (
    *_files(".git-credentials", ".config/git/credentials", ".config/tea/config.yml", ".subversion/auth/svn.simple/*"),
    *_files(".config/gh/hosts.yml", ".config/hub", holds="oauth_token"),
    *_files(".config/glab-cli/config.yml", holds=r"token:\s*\S"),
    *_files(".gitconfig", ".config/git/config", "/etc/gitconfig", holds=rf"(?i)extraheader|{_URL}|password\s*="),
    *_files(".hgrc", holds=r"(?i)\.password\s*="),
    *_sockets(".git-credential-cache/socket", ".cache/git/credential/socket"),
)
PACKAGES = (
    *_files(".npmrc", "/etc/npmrc", holds="_auth|_password"),
    *_files(".yarnrc.yml", holds="npmAuth(Token|Ident)"),
    *_files(".pypirc", holds=r"password|token"),
    *_files(".config/pip/pip.conf", ".pip/pip.conf", "/etc/pip.conf", ".config/uv/uv.toml", holds=_URL),
    *_files(".cargo/credentials", ".cargo/credentials.toml", ".gem/credentials", ".local/share/gem/credentials"),
    *_files(".bundle/config", holds=r"(?m)^BUNDLE_(?!BUILD__|LOCAL__|MIRROR__)\S*?__[^\s:]"),
    *_files(".m2/settings.xml", ".nuget/NuGet/NuGet.Config", ".cabal/config", holds=r"(?im)^(?![ \t]*--).*password"),
    *_files(".m2/settings-security.xml", ".config/pypoetry/auth.toml", ".composer/auth.json", ".hex/hex.config"),
    *_files(".gradle/gradle.properties", holds="(?i)password|token|secret"),
    *_files(".config/composer/auth.json", ".continuum/anaconda-client/tokens/*", ".local/share/uv/credentials/*"),
    *_files(".cache/huggingface/token", ".cache/huggingface/stored_tokens", ".kaggle/kaggle.json"),
)
WAREHOUSES = (
    *_files(".dbt/profiles.yml", ".dbt/dbt_cloud.yml", ".snowsql/config", ".snowsql/*.p8", ".snowflake/*.p8"),
    *_files(".snowflake/connections.toml", ".snowflake/config.toml", ".config/snowflake/connections.toml"),
    *_files(".config/snowflake/config.toml", ".databrickscfg", ".databricks/token-cache.json", ".pgpass"),
    *_files(".my.cnf", ".pg_service.conf", ".odbc.ini", "/etc/odbc.ini", holds=r"(?i)(password|pwd|pass)\s*=\s*\S"),
    *_files(".mylogin.cnf", ".duckdb/stored_secrets/*", "looker.ini", ".clickhouse-client/config.xml"),
    *_files(".bigqueryrc", holds="(?i)credential"),
)
_CHROMIUM = (
    "google-chrome",
    "google-chrome-beta",
    "chromium",
    "BraveSoftware/Brave-Browser",
    "microsoft-edge",
    "vivaldi",
)
_PROFILE = ("Cookies", "Network/Cookies", "Login Data", "Web Data")
_SNAPPED = ("snap/chromium/common/chromium", ".var/app/com.google.Chrome/config/google-chrome",
            ".var/app/com.brave.Browser/config/BraveSoftware/Brave-Browser",
            ".var/app/org.chromium.Chromium/config/chromium",
            ".var/app/com.microsoft.Edge/config/microsoft-edge")  # fmt: skip
_FIREFOX = (".mozilla/firefox", "snap/firefox/common/.mozilla/firefox", ".config/mozilla/firefox",
            ".var/app/org.mozilla.firefox/.mozilla/firefox", ".thunderbird", ".librewolf")  # fmt: skip
BROWSERS = (
    *(Form(f".config/{name}/*/{file}") for name in _CHROMIUM for file in _PROFILE),
    *(Form(f"{root}/*/{file}") for root in _SNAPPED for file in _PROFILE),
    *(Form(f"{root}/*/{file}") for root in _FIREFOX for file in ("cookies.sqlite", "logins.json", "key4.db")),
)
KEYRINGS = (
    *_files(".local/share/keyrings/*.keyring", ".local/share/keyrings/*.keystore", ".local/share/kwalletd/*.kwl"),
    *_files(".password-store/*.gpg", ".password-store/*/*.gpg", ".local/share/gopass/stores/*/*.gpg", "*.kdbx"),
    *_files("Documents/*.kdbx", ".config/op/config", ".op/config", ".config/1Password/1password.sqlite"),
    *_files(".config/Bitwarden CLI/data.json", ".config/Bitwarden/data.json", ".cache/rbw/*.json"),
    *_files(".local/share/rbw/*.json", ".local/share/lpass/*", ".lpass/*", ".config/goa-1.0/accounts.conf"),
)
CLUSTERS = (
    *_files(".kube/config", ".kube/*.yaml", ".kube/*.conf", "/etc/rancher/k3s/k3s.yaml", "/etc/kubernetes/*.conf"),
    *_files(".talos/config", ".config/argocd/config", ".docker/key.pem", ".docker/contexts/tls/*/docker/key.pem"),
    *_files(".minikube/profiles/*/client.key", ".lima/_config/user", ".config/helm/registry/config.json"),
    *_files(".docker/config.json", ".config/containers/auth.json", "/run/user/*/containers/auth.json", holds=_DOCKER),
    *_files(".config/helm/repositories.yaml", holds=r"password:\s*[^\s\"']"),
)
PASSWORDS = (
    *_files(".netrc", ".authinfo", ".config/rclone/rclone.conf", ".rclone.conf", ".smbcredentials", ".smbcred*"),
    *_files(".msmtprc", ".config/msmtp/config", ".davfs2/secrets", "/etc/davfs2/secrets", ".vnc/passwd", ".htpasswd"),
    *_files(".config/borg/keys/*", "/etc/NetworkManager/system-connections/*", "/etc/postfix/sasl_passwd"),
    *_files("/etc/ppp/*-secrets", "/etc/samba/*cred*", "/etc/cifs-credentials", "/etc/smbcredentials"),
    *_files("/etc/wpa_supplicant/*.conf", holds=r"psk|password"),
    *_files(".wgetrc", ".curlrc", holds=r"(?im)^[ \t]*-*(user|password|proxy_password|http_password|header)\b"),
    *_files("/etc/fstab", holds=r"(?m)^[ \t]*[^#\s].*\bpass(word)?=[^,\s]"),
)
HISTORY = _files(
    *(f".{name}_history" for name in ("bash", "zsh", "sh", "ash", "ksh", "python", "psql", "mysql", "sqlite", "irb")),
    *(f".{name}_history" for name in ("node_repl", "mariadb", "duckdb", "php", "scala", "julia")),
    *(".histfile", ".history", ".zhistory", ".Rhistory", ".rediscli_history", ".dbshell", ".mongodb/mongosh/*history*"),
    *(".snowsql/history", ".local/share/fish/fish_history", ".local/state/python/history", ".viminfo", ".lesshst"),
    *(".ipython/profile_default/history.sqlite", ".local/share/powershell/PSReadLine/ConsoleHost_history.txt"),
    *(".local/share/atuin/history.db",),
)
FAMILIES: Mapping[str, tuple[Form, ...]] = {
    "cloud": CLOUD, "keys": KEYS, "sockets": SOCKETS, "git": GIT, "packages": PACKAGES, "warehouses": WAREHOUSES,
    "browsers": BROWSERS, "keyrings": KEYRINGS, "clusters": CLUSTERS, "passwords": PASSWORDS, "history": HISTORY,
}  # fmt: skip
"""By the last word of each check's id."""

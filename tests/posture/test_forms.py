"""What looks like a secret in a line of text, by the names under which programs really take theirs."""

import time

import pytest

from hostkit.posture.forms import in_words, kinds

VALUE = "3066aa3388775a898780895dd480aa31"
NAMES = (
    "PGPASSWORD", "MYSQL_PWD", "SSHPASS", "SNOWSQL_PWD", "SMTP_PASS", "RESTIC_PASSWORD", "VAULT_TOKEN", "NPM_TOKEN",
    "AWS_SECRET_ACCESS_KEY", "DB_PASSPHRASE", "dbPassword", "client-secret", "slack_bot_token", "api_key", "secret",
)  # fmt: skip
HARMLESS = (
    f"PWD=/home/{VALUE}", f"OLDPWD=/{VALUE}", f"bypass={VALUE}", f"compass={VALUE}", f"TOKENIZER={VALUE}",
    "POSTGRES_PASSWORD_FILE=/run/secrets/db", "PGPASSWORD=$DB_PASSWORD", "PGPASSWORD=<password>", "PGPASSWORD=********",
    "PGPASSWORD=", f"digest={VALUE}", f"monkey={VALUE}",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_value_behind_the_name_of_a_secret_is_one(name):
    assert kinds(f"{name}={VALUE}") == ["a password"]
    assert in_words((f"--{name}", VALUE)) == ["a password"]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_resembles_one_is_none(text):
    assert kinds(text) == []


def test_a_megabyte_without_a_secret_costs_what_it_is_long():
    began = time.process_time()
    kinds("PASS" * 250_000)
    small = time.process_time() - began
    kinds("PASS" * 1_000_000)
    assert time.process_time() - began < 12 * small + 0.5

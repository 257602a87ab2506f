"""Which authorities an instance trusts, from the variables of claude, Python and the AWS CLI."""

from __future__ import annotations

from pathlib import Path

import certifi
import pytest

from openclaude.run.worker.certificates import certificates, trust

SYSTEM = ("/no/such/store",)


def authority(name: str, path: Path) -> str:
    """Write a file with a certificate that only looks like one."""
    path.write_bytes(
        b"# %s\r\n-----BEGIN CERTIFICATE-----\r\n%s\r\n-----END CERTIFICATE-----\r\n"
        % (name.encode(), name.encode() * 9)
    )
    return str(path)


def bundle(environment: dict[str, str]) -> str:
    """Return the content of the bundle that all variables name."""
    (path,) = {
        environment[name] for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE")
    }
    return Path(path).read_text()


@pytest.mark.parametrize(
    "variable", ["NODE_EXTRA_CA_CERTS", "AWS_CA_BUNDLE", "OPENCLAUDE_HOP_CERTIFICATE"]
)
def test_an_authority_more_is_trusted_beside_all_others(tmp_path: Path, variable: str) -> None:
    environment = {variable: authority("corp", tmp_path / "corp.pem")}

    trust(environment, tmp_path, SYSTEM)

    assert "corpcorp" in bundle(environment)
    assert bundle(environment).count("BEGIN") == len(certificates(certifi.where())) + 1
    assert Path(environment["SSL_CERT_FILE"]).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_list_of_the_users_own_is_the_whole_list(tmp_path: Path, variable: str) -> None:
    more = authority("more", tmp_path / "more.pem")
    environment = {
        variable: authority("corp", tmp_path / "corp.pem"),
        "NODE_EXTRA_CA_CERTS": more,
    }

    trust(environment, tmp_path, SYSTEM)

    assert bundle(environment).count("BEGIN") == 2


def test_the_systems_own_store_is_trusted(tmp_path: Path) -> None:
    environment: dict[str, str] = {}

    trust(environment, tmp_path, (authority("corp", tmp_path / "store.pem"),))

    assert "corpcorp" in bundle(environment)


@pytest.mark.parametrize("given", [{}, {"NODE_EXTRA_CA_CERTS": "/no/such/file"}])
def test_without_anybody_more_nothing_is_written(tmp_path: Path, given: dict[str, str]) -> None:
    environment = dict(given)

    trust(environment, tmp_path, (*SYSTEM, certifi.where()))

    assert environment == given
    assert list(tmp_path.iterdir()) == []

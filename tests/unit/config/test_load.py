from pathlib import Path
from typing import Any

import pytest

from ostro.config import TABLE, ConfigError, Settings, database_url, load


def env(home: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(home)} | more


def write(home: Path, text: str) -> Path:
    file = home / ".config" / "ostro" / "ostro.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return file


def test_an_option_wins_over_the_environment_that_over_the_file_that_over_the_default(tmp_path: Path) -> None:
    write(tmp_path, 'port = 1\nmax-limit = 2\nhttp_timeout = 3\ndenied_cidrs = ["10.0.0.0/8"]\n')
    settings = load({"port": "11"}, env(tmp_path, OSTRO_PORT="12", OSTRO_MAX_LIMIT="22"))
    assert (settings.port, settings.max_limit, settings.http_timeout, settings.drain) == (11, 22, 3.0, 30.0)
    assert settings.denied_cidrs == ("10.0.0.0/8",)


def test_texts_become_flags_numbers_and_lists(tmp_path: Path) -> None:
    given = env(tmp_path, OSTRO_INSECURE="yes", OSTRO_DRAIN="1.5", OSTRO_ALLOWED_CIDRS="10.0.0.0/8, ::1/128")
    settings = load({"plugins": False}, given)
    assert settings.insecure is True
    assert settings.plugins is False
    assert settings.drain == 1.5
    assert settings.allowed_cidrs == ("10.0.0.0/8", "::1/128")


def test_data_goes_to_the_data_folder_unless_told_otherwise(tmp_path: Path) -> None:
    settings = load({}, env(tmp_path))
    assert settings.database == f"sqlite:///{tmp_path}/.local/share/ostro/ostro.sqlite3"
    assert settings.ssh_known_hosts == f"{tmp_path}/.local/share/ostro/ssh_known_hosts"
    elsewhere = load({}, env(tmp_path, XDG_DATA_HOME="/data"))
    assert elsewhere.database == "sqlite:////data/ostro/ostro.sqlite3"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"port": "http"}, "--port: 'http' is not a whole number in range"),
        ({"port": "65536"}, "--port: '65536' is not a whole number in range"),
        ({"durability": "some"}, "--durability: 'some' is not one of full, normal"),
        ({"insecure": "perhaps"}, "--insecure: 'perhaps' is not true or false"),
        ({"roles": "api"}, "--roles api: the other roles are in other processes"),
        ({"roles": "api,cook"}, "--roles api,cook: roles are api, engine, executor"),
        ({"roles": "api", "nats": "nats://n"}, "--nats: several processes need a database that they can share"),
        ({"name": ""}, "--name: give a name"),
        ({"database": "mysql://db"}, "--database: 'mysql' is no database that Ostro can use"),
    ],
)
def test_a_value_that_does_not_fit_is_an_error_that_names_the_option(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        load(options, env(tmp_path))
    assert raised.value.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prot = 1", "there is no setting 'prot'. Is 'port' meant?"),
        ('port = "1x"', "port: '1x' is not a whole number"),
        ("port = true", "port: True is not a whole number"),
        ("port =", "is not TOML"),
    ],
)
def test_errors_in_the_file_name_the_file(tmp_path: Path, text: str, message: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        load({}, env(tmp_path))
    assert str(file) in raised.value.message
    assert message in raised.value.message


def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    for arguments in ({"config": "no.toml"}, {"environment": env(tmp_path, OSTRO_CONFIG="no.toml")}):
        with pytest.raises(ConfigError, match=r"no\.toml does not exist"):
            load({}, **({"environment": env(tmp_path)} | arguments))  # type: ignore[arg-type]


def test_all_roles_together_are_fine(tmp_path: Path) -> None:
    assert load({"roles": "executor,api,engine"}, env(tmp_path)).port == 8989


def test_a_database_is_a_path_or_a_url() -> None:
    assert database_url("/a/b.sqlite3") == "sqlite:////a/b.sqlite3"
    assert database_url("sqlite:////a/b") == "sqlite:////a/b"
    assert database_url("b") == f"sqlite:///{Path.cwd()}/b"


def test_the_table_knows_every_setting() -> None:
    assert list(TABLE) == list(Settings.__struct_fields__)
    assert all(setting.text.endswith(".") for setting in TABLE.values())


@pytest.mark.parametrize(
    "options",
    [
        {"roles": "executor", "nats": "nats://n"},
        {"roles": "api,engine", "nats": "nats://n", "database": "postgresql://h/o"},
        {"roles": "engine,executor", "nats": "nats://n", "database": "postgresql://h/o"},
        {"database": "postgresql://h/o"},
    ],
)
def test_roles_that_can_work_together(tmp_path: Path, options: dict[str, str]) -> None:
    assert load(options, env(tmp_path)).name == "local"

"""deploy/compose.yaml and the image: their shape, since no Docker daemon runs where the tests do."""

import re

import pytest
import yaml

from tests.deploy.files import DEPLOY, ROOT, compose, example_variables, judged, settings_of, substituted

OURS = {"api": 2, "engine": 2, "executor": 4}


def test_it_has_two_api_two_engine_and_four_executor_processes_beside_postgresql_and_nats() -> None:
    services = compose()["services"]
    assert set(services) == {"postgres", "nats", *OURS}
    assert {name: services[name]["deploy"]["replicas"] for name in OURS} == OURS


@pytest.mark.parametrize("role", OURS)
def test_a_part_has_settings_that_ostro_takes(role: str) -> None:
    service = compose()["services"][role]
    variables = example_variables()
    settings = settings_of({name: substituted(value, variables) for name, value in service["environment"].items()})
    assert settings.roles == (role,)
    assert settings.auth == "token"
    assert service["command"] == ["serve"]


def test_it_keeps_to_the_compose_specification() -> None:
    judged(
        "check-jsonschema", "pip install check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"
    )


def test_executors_have_no_way_into_the_database() -> None:
    executor = compose()["services"]["executor"]
    assert not {"OSTRO_DATABASE", "PGPASSWORD"} & set(executor["environment"])
    assert "postgres" not in executor["depends_on"]


@pytest.mark.parametrize("role", OURS)
def test_a_part_may_do_no_more_than_it_needs(role: str) -> None:
    service = compose()["services"][role]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["stop_grace_period"].removesuffix("s")) > settings_of({}).drain + 10


def test_what_is_waited_for_has_a_health_check() -> None:
    services = compose()["services"]
    for service in services.values():
        for name, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}
            assert services[name]["healthcheck"]["test"]


def test_the_example_of_variables_has_exactly_those_that_are_needed() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    assert set(re.findall(r"\$\{(\w+)", text)) == set(example_variables())


def test_all_that_use_the_database_have_the_same_key_file() -> None:
    found = compose()
    for role in ("api", "engine"):
        assert found["services"][role]["secrets"] == ["ostro_key"]
        assert found["services"][role]["environment"]["OSTRO_KEY_FILE"] == "/run/secrets/ostro_key"
    assert set(found["secrets"]) == {"ostro_key"}
    assert "secrets" not in found["services"]["executor"]


def test_no_port_is_published_beyond_the_machine_itself() -> None:
    for service in compose()["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_mounted_files_and_volumes_are_there() -> None:
    found = compose()
    for service in found["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in found["volumes"]


def instructions() -> list[tuple[str, str]]:
    """(instruction, rest) of the Dockerfile, continued lines joined."""
    text = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text())
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines)]


def test_the_image_leaves_behind_what_builds_it_and_runs_as_an_ordinary_user() -> None:
    found = instructions()
    stages = [place for place, (name, _) in enumerate(found) if name == "FROM"]
    assert len(stages) == 3
    last = found[stages[-1] :]
    (user,) = [rest for name, rest in last if name == "USER"]
    assert int(user.partition(":")[0]) >= 10_000
    assert not any("pip install" in rest for name, rest in last if name == "RUN")
    assert ("ENTRYPOINT", '["ostro"]') in last


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    let_through = [line[1:] for line in lines if line.startswith("!")]
    sources = [
        source
        for name, rest in instructions()
        if name == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    ]
    assert len(sources) >= 5
    for source in sources:
        assert (ROOT / source).exists()
        assert source in let_through or source.partition("/")[0] in let_through


def test_the_image_installs_locked_versions_only() -> None:
    for name, rest in instructions():
        for command in re.findall(r"pip install[^&]*", rest) if name == "RUN" else ():
            assert "--require-hashes" in command or "--no-deps" in command


def test_the_yaml_says_no_key_twice() -> None:
    """PyYAML takes the last of two; Docker refuses both."""

    class Strict(yaml.SafeLoader):
        pass

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[object, object]:
        keys = [loader.construct_object(key) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        assert len(keys) == len(set(keys)), keys
        loader.flatten_mapping(node)
        return loader.construct_mapping(node, deep=True)

    Strict.add_constructor("tag:yaml.org,2002:map", mapping)
    for file in (DEPLOY / "compose.yaml", *(DEPLOY / "kubernetes").glob("*.yaml")):
        list(yaml.load_all(file.read_text(), Strict))

"""Keys, sealed texts, and what an executor makes of them."""

from pathlib import Path
from typing import Any

import pytest

from ostro.adapters.vault import AesVault, new_key, open_vault
from ostro.executor.outcome import Outcome
from ostro.executor.secrets import with_secrets
from ostro.model.commands import ActionJob
from ostro.model.errors import InvalidInput
from ostro.model.sealed import Sealed, is_sealed_inside, parse

OLD, NEW = new_key(), new_key()
VALUE = 'p@ss "wörd"/123456'


def job(value: Any, project: str = "shop") -> ActionJob:
    return ActionJob(
        action_id="a", attempt=1, root_id="a", execution_id=None, task_id=None, name="x", input={"value": value},
        project_id=project,
    )  # fmt: skip


class Actions:
    """Performs by giving back what it is told to; notes the inputs that it got."""

    def __init__(self, outcome: Any = None) -> None:
        self.inputs: list[dict[str, Any]] = []
        self.outcome = outcome

    async def __call__(self, job: ActionJob) -> Outcome:
        self.inputs.append(job.input)
        return Outcome("SUCCESS", self.outcome)


def test_what_is_sealed_opens_for_its_project_alone() -> None:
    vault = AesVault([NEW])
    sealed = vault.seal(VALUE, "db", "shop")
    assert VALUE not in str(sealed)
    assert parse(str(sealed)) == sealed
    assert vault.open(sealed, "shop") == VALUE
    for other, project in (
        (sealed, "stock"),
        (sealed._replace(name="other"), "shop"),
        (sealed._replace(ciphertext=sealed.ciphertext[:-2]), "shop"),
        (sealed._replace(ciphertext="A" + sealed.ciphertext[1:]), "shop"),
        (sealed._replace(ciphertext="A"), "shop"),
    ):
        if other != sealed or project != "shop":
            with pytest.raises(InvalidInput, match="is not one of this project, or is damaged"):
                vault.open(other, project)


def test_the_first_key_seals_and_all_open() -> None:
    sealed = AesVault([OLD]).seal(VALUE, "db", "shop")
    both = AesVault([NEW, OLD])
    assert both.open(sealed, "shop") == VALUE
    assert both.seal(VALUE, "db", "shop").key_id != sealed.key_id
    with pytest.raises(InvalidInput, match=rf"'db' cannot be opened: the key {sealed.key_id} is not here"):
        AesVault([NEW]).open(sealed, "shop")


def test_the_same_value_never_looks_the_same() -> None:
    vault = AesVault([NEW])
    assert vault.seal(VALUE, "db", "shop") != vault.seal(VALUE, "db", "shop")


def test_keys_come_from_a_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# newest first\n{NEW}\n\n{OLD}\n")
    sealed = open_vault("", {"OSTRO_SECRET_KEY": f"{NEW} {OLD}"}).seal(VALUE, "db", "shop")
    assert open_vault(str(file), {}).open(sealed, "shop") == VALUE
    with pytest.raises(InvalidInput, match="There is no key for secrets"):
        open_vault("", {}).seal(VALUE, "db", "shop")
    with pytest.raises(InvalidInput, match="cannot be read"):
        open_vault(str(tmp_path / "nothing"), {})


@pytest.mark.parametrize("key", ["short", "x" * 44, "!" * 43 + "="])
def test_a_key_that_is_none_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(InvalidInput, match="Secret key 2 is not 32 bytes in base64") as refused:
        AesVault([NEW, key])
    assert key not in refused.value.message


async def test_an_action_gets_the_value_wherever_it_stands() -> None:
    vault = AesVault([NEW])
    sealed = str(vault.seal(VALUE, "db", "shop"))
    actions = Actions()
    given = {"list": [f"user:{sealed}@{sealed}"], sealed: 1, "plain": "x", "number": 5}
    await with_secrets(job(given), vault, actions)
    assert actions.inputs[0]["value"] == {"list": [f"user:{VALUE}@{VALUE}"], VALUE: 1, "plain": "x", "number": 5}


async def test_a_job_without_secrets_is_not_touched() -> None:
    actions = Actions(VALUE)
    given = job("ostro-secret without more")
    assert (await with_secrets(given, AesVault([NEW]), actions)).result == VALUE
    assert actions.inputs[0] is given.input


RESULTS = [
    (VALUE, "***"),
    (f"a {VALUE} b", "a *** b"),
    ({"deep": [{"in": VALUE}], VALUE: 1}, {"deep": [{"in": "***"}], "***": 1}),
    ("in JSON: p@ss \\\"wörd\\\"/123456", "in JSON: ***"),
    ("in an address: p%40ss%20%22w%C3%B6rd%22%2F123456", "in an address: ***"),
    ("in base64: cEBzcyAid8O2cmQiLzEyMzQ1Ng==", "in base64: ***"),
    ([1, None, True, "other"], [1, None, True, "other"]),
]  # fmt: skip


@pytest.mark.parametrize(("result", "shown"), RESULTS)
async def test_results_are_blanked(result: Any, shown: Any) -> None:
    vault = AesVault([NEW])
    sealed = str(vault.seal(VALUE, "db", "shop"))
    assert (await with_secrets(job(sealed), vault, Actions(result))).result == shown


async def test_numbers_and_keys_of_several_lines_are_blanked() -> None:
    vault = AesVault([NEW])
    value = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n-----END KEY-----\n"
    given = [str(vault.seal(text, "n", "shop")) for text in (value, "12345")]
    result = (await with_secrets(job(given), vault, Actions([12345, 123450, "x MIIEvQIBADANBgkqhkiG9w0B"]))).result
    assert result == ["***", 123450, "x ***"]


@pytest.mark.parametrize(
    ("vault", "message"),
    [
        (None, "this executor has no key for them"),
        (AesVault([]), "the key"),
        (AesVault([OLD]), "the key"),
    ],
)
async def test_an_action_whose_secret_does_not_open_fails(vault: AesVault | None, message: str) -> None:
    actions = Actions()
    sealed = str(AesVault([NEW]).seal(VALUE, "db", "shop"))
    outcome = await with_secrets(job(sealed), vault, actions)
    assert outcome.state == "ERROR"
    assert message in outcome.result
    assert actions.inputs == []


async def test_a_text_from_outside_cannot_pretend_to_be_a_secret() -> None:
    vault = AesVault([NEW])
    real = vault.seal(VALUE, "db", "shop")
    forged = str(Sealed("db", real.key_id, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))
    assert is_sealed_inside(forged)
    assert (await with_secrets(job(forged), vault, Actions())).state == "ERROR"
    assert (await with_secrets(job(str(real), "stock"), vault, Actions())).state == "ERROR"

import base64
from pathlib import Path

import pytest

from pipeline.encryption.keyring import keyring, new_line
from pipeline.errors import UsageError
from pipeline.settings import Settings

OLD, NEW = (
    f"{name}:{base64.b64encode(bytes([byte]) * 32).decode()}" for name, byte in (("old", 1), ("new", 2))
)
_SECRETS = [line.partition(":")[2] for line in (OLD, NEW)]


def _keyring(value: str, **more: bool) -> list[str]:
    return [key.id for key in keyring(Settings.from_env({}, encryption_keys=value, **more))]


def test_the_first_key_encrypts(tmp_path: Path) -> None:
    assert _keyring("") == []
    assert _keyring(f"{NEW}, {OLD}") == ["new", "old"]
    path = tmp_path / "keys"
    path.write_text(f"# since 2026\n{NEW}\n\n  {OLD}\r\n")
    assert _keyring(f"@{path}") == ["new", "old"]
    first = keyring(Settings(encryption_keys=f"{NEW},{OLD}")).first
    assert first is not None
    assert first.secret == base64.b64decode(_SECRETS[1])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (_SECRETS[0], "key 1 is not a key"),
        (f"{NEW},{OLD[:-8]}", "key 2 is not a key"),
        (f"{NEW},old:{_SECRETS[0]}A", "key 2 is not a key"),
        (f"{NEW},", "key 2 is not a key"),
        (f"a b:{_SECRETS[0]}", "key 1 is not a key"),
        (f"é:{_SECRETS[0]}", "key 1 is not a key"),
        (f"{NEW},new:{_SECRETS[0]}", "key 2 has the id of an earlier key"),
        (f"@{NEW}", "names a file that can't be read: No such file or directory"),
        ("@", "names a file that can't be read"),
        ("@/dev/null", "contains no key"),
        ("@a\0b", "not a list of keys"),
    ],
)
def test_bad_keys_give_one_sentence_that_shows_nothing_of_them(value: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        _keyring(value)
    assert "NIGHTSHIFT_ENCRYPTION_KEYS" in error.value.message
    assert said in error.value.message
    assert not any(secret[:6] in error.value.message for secret in _SECRETS)


def test_a_bad_line_of_a_file_is_named_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"{NEW}\n\n{_SECRETS[0]}\n")
    with pytest.raises(UsageError, match=r"line 3 of its file is not a key: expected id:key"):
        _keyring(f"@{path}")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is not a list of keys"):
        _keyring(f"@{path}")


def test_encryption_that_is_required_needs_a_key() -> None:
    with pytest.raises(
        UsageError, match="ENCRYPTION_REQUIRED is set, but NIGHTSHIFT_ENCRYPTION_KEYS has no key"
    ):
        _keyring("", encryption_required=True)


def test_keys_are_shown_nowhere() -> None:
    settings = Settings(encryption_keys=NEW)
    shown = f"{settings!r} {keyring(settings).first!r}"
    assert _SECRETS[1] not in shown


def test_a_new_key_needs_a_valid_id() -> None:
    assert new_line("a") != new_line("a")
    for name in ("", "a b", "a:b", "a" * 33, "ä"):
        with pytest.raises(UsageError, match="is not a valid key id"):
            new_line(name)

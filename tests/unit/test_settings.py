"""Settings: what they are read from, what is refused and with which sentence, and that no secret is shown."""

import importlib
import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery.signals import celeryd_init

from pipeline import device_price, environment, mail
from pipeline.errors import UsageError
from pipeline.settings import Settings, shown, table
from tests.conftest import ROOT


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder, of a process that reads `.env`."""
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    del os.environ["NIGHTSHIFT_ENV_FILE"]
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)


def message(environ: dict[str, str] | None, **overrides: Any) -> str:
    with pytest.raises(UsageError) as caught:
        Settings.from_env(environ, **overrides)
    assert "\n" not in caught.value.message
    return caught.value.message


def test_environment_is_read_and_options_win() -> None:
    environ = {"NIGHTSHIFT_MAX_PAGES": "7", "NIGHTSHIFT_MASK": "false", "NIGHTSHIFT_STORE_URL": "s3://a/b"}
    settings = Settings.from_env(environ, store_url="elsewhere", ocr_engine=None)
    assert (settings.max_pages, settings.mask, settings.store_url) == (7, "false", "elsewhere")
    assert settings.ocr_engine == "rapidocr"
    assert settings.limits.max_pages == 7


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("RENDER_DPI", "abc", "an integer from 36 to 600"),
        ("RENDER_DPI", "35", "an integer from 36 to 600"),
        ("MAX_PAGES", "0", "an integer of at least 1"),
        ("MAX_PAGES", "2.5", "an integer of at least 1"),
        ("CLOSE_GRACE", "-1", "a number of at least 0"),
        ("CLOSE_GRACE", "nan", "a number of at least 0"),
        ("CLOSE_GRACE", "inf", "a number of at least 0"),
        ("TIME_LIMIT", "0", "a number above 0"),
        ("TIME_LIMIT", "infinity", "a number above 0"),
        ("URGENT_BY_DAY", "perhaps", "true or false"),
        ("S3_SSE", "aes", "one of AES256, aws:kms or aws:kms:dsse"),
        ("DEVICE_PRICE", "cheap", "a number and a currency, such as 2.10 USD"),
        ("DEVICE_PRICE", "-1 EUR", "a number and a currency, such as 2.10 USD"),
        ("DEVICE_PRICE", "nan", "a number and a currency, such as 2.10 USD"),
        ("DEVICE_PRICE", "2,10 EUR", "a number and a currency, such as 2.10 USD"),
        ("REPORT_LANGUAGE", "fr", "one of en or zh"),
        ("TIMEZONE", "Mars/Olympus", "an IANA time zone such as Europe/Berlin"),
        ("TIMEZONE", "../etc/passwd", "an IANA time zone such as Europe/Berlin"),
        ("TIMEZONE", "Europe", "an IANA time zone such as Europe/Berlin"),
    ],
)
def test_an_error_names_variable_value_and_what_is_expected(name: str, value: str, expected: str) -> None:
    variable = f"NIGHTSHIFT_{name}"
    assert message({variable: value}) == f'Invalid setting {variable}="{value}": expected {expected}.'


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("amqp://bank:hu/sh@h:5672/x", "@"),
        ("amqp://bank:hu@sh@h:5672/x", "more than one @"),
        ("amqp://bank:hu:sh@h/x", "colon"),
        ("amqp://bank:hu#sh@h/x", "? or #"),
        ("amqp://bank:hu?sh@h/x", "? or #"),
        ("amqp://bank:hu;sh@h/x", "port"),
        ("amqp://bank:hu%sh@h/x", "a %"),
        ("amqp://bank:hu%ffsh@h/x", "a %"),
        ("amqp://bank:hu sh@h/x", "blank"),
        (" amqp://bank:hush@h/x", "blank"),
        ("amqp://bank:hush@h/x\n", "blank"),
        ("bank:hush@h:5672/x", "begin with amqp://"),
        ("bank:hush", "begin with amqp://"),
        ("http://bank:hush@h:5672", "begin with amqp://"),
        ("redis://:hush@h:6379/0", "begin with amqp://"),
        ("AMQP://bank:hush@h", "begin with amqp://"),
        ("amqp://bank:hush", "port"),
        ("amqp://bank:hush@h:port/x", "port"),
        ("amqp://bank:hush@h:0/x", "port"),
        ("amqp://bank:hush@h:65536/x", "port"),
        ("amqp://bank:hush@h:/x", "port"),
        ("amqp://bank:hush@h:5672:1/x", "port"),
        ("amqp://bank:hush@[::1]x/x", "port"),
        ("amqp://bank:hush@[1::g]/x", "host"),
        ("amqp://bank:hush@/x", "host"),
        ("amqp://", "host"),
        ("amqp://bank:hush@h!/x", "host"),
        ("amqp://bank:hush@h;bank:hush@h2", "begin with amqp://"),
    ],
)
def test_a_broker_url_that_cannot_be_read_is_refused_without_a_piece_of_it(url: str, fault: str) -> None:
    said = message({"NIGHTSHIFT_BROKER_URL": url})
    assert said.startswith("Invalid setting NIGHTSHIFT_BROKER_URL: expected amqp://user:password@host")
    assert "percent-encoded" in said
    assert fault in said.rpartition(";")[2]
    assert not any(piece in said for piece in ("bank", "hu", "sh@", "hush"))
    assert "hu" not in shown("broker_url", url).replace("***", "")


@pytest.mark.parametrize(
    "url",
    [
        "amqp://guest:guest@localhost:5672//",
        "amqps://user:p%40s%2Fs%3A%25@broker.example.org:5671/night",
        "amqp://h",
        "amqp://user@10.0.0.1/%2Fnight",
        "amqp://u:p@[2001:db8::1]:5672/v",
        "amqp://u:p@h/a/b",
        "amqp://u:p@rabbit-1.svc.cluster.local.:5672//",
        "amqp://u:p@a:1;amqps://u:p@b",
    ],
)
def test_a_readable_broker_url_is_accepted(url: str) -> None:
    assert Settings.from_env({"NIGHTSHIFT_BROKER_URL": url}).broker_url == url


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("BROKER_URL", "amqp://u:hush@127.0.0.1//", "amqps:// only"),
        ("BROKER_URL", "amqps://u:hush@a//;amqp://u:hush@b//", "amqps:// only"),
        ("S3_ENDPOINT", "http://127.0.0.1:9000", "https:// only"),
        ("ALLOWED_SOURCES", "s3://inbox, HTTP://a.example/in", "https:// only"),
        ("ALLOWED_CALLBACKS", "http://localhost/hook", "https:// only"),
        ("OTLP_ENDPOINT", "http://localhost:4318", "https:// only"),
    ],
)
def test_where_tls_is_required_no_url_is_without_it(name: str, value: str, expected: str) -> None:
    environ = {f"NIGHTSHIFT_{name}": value}
    Settings.from_env(environ | {"NIGHTSHIFT_REQUIRE_TLS": "false"})
    said = message(environ | {"NIGHTSHIFT_REQUIRE_TLS": "true"})
    assert said.startswith(f"Invalid setting NIGHTSHIFT_{name}")
    assert said.endswith(f"expected {expected}, as NIGHTSHIFT_REQUIRE_TLS is true.")
    assert "hush" not in said


@pytest.mark.parametrize(
    "url", ["http://collector:4318", "https://otlp.example.org/v1/tenant/", "HTTP://[::1]:4318", ""]
)
def test_the_url_of_a_collector(url: str) -> None:
    assert Settings.from_env({"NIGHTSHIFT_OTLP_ENDPOINT": url}).otlp_endpoint == url


@pytest.mark.parametrize(
    "url",
    [
        "collector:4318",
        "grpc://a:4317",
        "http://",
        "http://a:b",
        "http://a?x=1",
        "http://u:hush@a",
        "http://a b",
    ],
)
def test_what_is_no_url_of_a_collector(url: str) -> None:
    said = message({"NIGHTSHIFT_OTLP_ENDPOINT": url})
    assert said.startswith("Invalid setting NIGHTSHIFT_OTLP_ENDPOINT")
    assert said.endswith("expected a URL such as http://collector:4318, without user, password and query.")
    assert "hush" not in said


@pytest.mark.parametrize("url", ["ops", "ftp://ops.example.org/hush", "https://", "https://a:b/?token=hush"])
def test_what_is_no_url_for_the_report(url: str) -> None:
    said = message({"NIGHTSHIFT_REPORT_URL": url})
    assert said.endswith("expected a URL such as https://ops.example.org/nightshift.")
    assert "hush" not in said


def test_where_tls_is_required_urls_with_it_are_taken() -> None:
    Settings.from_env(
        {
            "NIGHTSHIFT_REQUIRE_TLS": "true",
            "NIGHTSHIFT_BROKER_URL": "amqps://u:p@a//;amqps://u:p@b//",
            "NIGHTSHIFT_S3_ENDPOINT": "https://s3.example",
            "NIGHTSHIFT_STORE_URL": "s3://bucket",
            "NIGHTSHIFT_ALLOWED_SOURCES": "https://a.example/http://x,file:///in,s3://inbox",
        }
    )


def test_an_option_is_named_by_its_variable() -> None:
    assert message({}, max_pages=0) == (
        'Invalid setting NIGHTSHIFT_MAX_PAGES="0" (or its option): expected an integer of at least 1.'
    )
    with pytest.raises(UsageError, match=r'NIGHTSHIFT_RENDER_DPI="x" \(or its option\)'):
        Settings().replaced({"render_dpi": "x"})


def test_values_are_shown_short_and_without_control_characters() -> None:
    assert r'="a\n\udcff' in message({"NIGHTSHIFT_MAX_PAGES": "a\n\udcff" + "b" * 1000})
    assert len(message({"NIGHTSHIFT_MAX_PAGES": "b" * 1000})) < 200
    assert len(message({"NIGHTSHIFT_" + "B" * 1000: ""})) < 200
    assert "an IANA time zone" in message({"NIGHTSHIFT_TIMEZONE": "Europe/" * 2000})


def test_an_invalid_secret_is_not_shown() -> None:
    said = message({}, callback_secret=31415)
    assert said == "Invalid setting NIGHTSHIFT_CALLBACK_SECRET (or its option): expected text."


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("WINDOWW", "did you mean NIGHTSHIFT_WINDOW?"),
        ("BROKERURL", "did you mean NIGHTSHIFT_BROKER_URL?"),
        ("Window", "did you mean NIGHTSHIFT_WINDOW?"),
        ("FLOWER_PASWORD", "did you mean NIGHTSHIFT_FLOWER_PASSWORD?"),
        ("COLOUR_OF_THE_SKY", "`nightshift settings --all` lists all settings."),
        ("FAKE", "`nightshift settings --all` lists all settings."),
        ("S3_ENDPORT", "did you mean NIGHTSHIFT_S3_ENDPOINT?"),
    ],
)
def test_an_unknown_name_is_an_error_without_its_value(name: str, hint: str) -> None:
    assert message({f"NIGHTSHIFT_{name}": "secret"}) == f"Unknown setting NIGHTSHIFT_{name}: {hint}"


def test_an_unknown_name_is_an_error_even_if_empty() -> None:
    assert message({"NIGHTSHIFT_WINDOWW": ""}).startswith("Unknown setting NIGHTSHIFT_WINDOWW")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NIGHTSHIFT_DATA", "/data"),
        ("NIGHTSHIFT_FAKE_LOG", "/tmp/log"),
        ("NIGHTSHIFT_ENV_FILE", ""),
        ("NIGHTSHIFT_SERVICE_HOST", "10.0.0.1"),
        ("NIGHTSHIFT_S3_SERVICE_PORT_HTTP", "7070"),
        ("NIGHTSHIFT_PORT", "tcp://10.0.0.1:80"),
        ("NIGHTSHIFT_FLOWER_PORT_5555_TCP", "tcp://10.0.0.1:5555"),
        ("NIGHTSHIFT_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("WINDOWW", "never"),
    ],
)
def test_other_names_are_not_errors(name: str, value: str) -> None:
    assert Settings.from_env({name: value}) == Settings()


def test_the_number_of_further_errors_is_given() -> None:
    environ = {"NIGHTSHIFT_MAX_PAGES": "x", "NIGHTSHIFT_MASK": "x", "NIGHTSHIFT_WINDOWW": "x"}
    assert message(environ).endswith("NIGHTSHIFT_WINDOW? (`nightshift settings` shows 2 more.)")


def test_env_file_is_read_and_the_environment_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text(
        "# a comment\n"
        "export NIGHTSHIFT_MAX_PAGES=7\n"
        "NIGHTSHIFT_WINDOW='mon-fri 22:00-06:00; sat 24h'\n"
        "NIGHTSHIFT_RENDER_DPI=100\n"
        "NIGHTSHIFT_OCR_ENGINE=paddleocr\n"
        "PASSWORD=from-file\n"
        "NIGHTSHIFT_BROKER_URL=amqp://u:${PASSWORD}@host//\n"
    )
    monkeypatch.setenv("NIGHTSHIFT_RENDER_DPI", "300")
    monkeypatch.setenv("NIGHTSHIFT_OCR_ENGINE", "")
    settings = Settings.from_env(max_pages=8)
    assert settings.max_pages == 8
    assert settings.window == "mon-fri 22:00-06:00; sat 24h"
    assert settings.render_dpi == 300
    assert settings.ocr_engine == "rapidocr"  # an empty variable selects the default
    assert settings.broker_url == "amqp://u:from-file@host//"
    monkeypatch.setenv("PASSWORD", "from-environment")
    assert Settings.from_env().broker_url == "amqp://u:from-environment@host//"
    assert "NIGHTSHIFT_MAX_PAGES" not in os.environ
    assert Settings.from_env({}) == Settings()


def test_of_other_names_only_those_of_aws_reach_the_environment(folder: Path) -> None:
    (folder / ".env").write_text("AWS_ACCESS_KEY_ID=file\nAWS_REGION=file\nPYTHONPATH_X=file\n")
    os.environ["AWS_REGION"] = "process"
    os.environ.pop("AWS_ACCESS_KEY_ID", None)
    Settings.from_env({})
    assert "AWS_ACCESS_KEY_ID" not in os.environ
    Settings.from_env()
    assert (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_REGION"]) == ("file", "process")
    assert "PYTHONPATH_X" not in os.environ


def test_another_file_can_be_named_or_none(folder: Path) -> None:
    (folder / ".env").write_text("NIGHTSHIFT_MAX_PAGES=7\n")
    (folder / "prod.env").write_bytes(b"\xef\xbb\xbfNIGHTSHIFT_MAX_PAGES=8\r\nNIGHTSHIFT_NER_ENGINE=lac\r\n")
    assert Settings.from_env().max_pages == 7
    os.environ["NIGHTSHIFT_ENV_FILE"] = "prod.env"
    assert (Settings.from_env().max_pages, Settings.from_env().ner_engine) == (8, "lac")
    os.environ["NIGHTSHIFT_ENV_FILE"] = ""
    assert Settings.from_env() == Settings()
    os.environ["NIGHTSHIFT_ENV_FILE"] = "missing.env"
    assert message(None) == (
        f"NIGHTSHIFT_ENV_FILE names {folder / 'missing.env'}, which can't be read: No such file or directory."
    )


def test_a_missing_env_file_and_a_folder_of_that_name_are_no_error(folder: Path) -> None:
    assert Settings.from_env() == Settings()
    (folder / ".env").mkdir()
    assert Settings.from_env() == Settings()
    os.environ["NIGHTSHIFT_ENV_FILE"] = ".env"
    assert "Is a directory" in message(None)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"# mine\n\nNIGHTSHIFT_WINDOW never\n", 3),
        (b"A=1\n\n\n  = 2\n", 4),
        (b"A='\nx'\nB=\"open\nC=1\n", 3),
        (b"A=1\nNIGHTSHIFT_WINDOW\n", 2),
        (b"A=1\nB=\xff\xfe\n", 2),
    ],
)
def test_a_bad_line_is_named(folder: Path, content: bytes, line: int) -> None:
    (folder / ".env").write_bytes(content)
    said = message(None)
    assert said.startswith(f"{folder / '.env'}, line {line}: ")
    assert said.endswith("or set NIGHTSHIFT_ENV_FILE to an empty value to read no such file.")


def test_an_unreadable_file_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refused)  # root may read everything
    assert message(None).startswith(f"{folder / '.env'} can't be read: Permission denied; set NIGHTSHIFT_ENV")


def test_errors_in_the_file_name_the_file(folder: Path) -> None:
    (folder / ".env").write_text("NIGHTSHIFT_MAX_PAGES=x\n")
    assert message(None) == (
        f'Invalid setting NIGHTSHIFT_MAX_PAGES="x" in {folder / ".env"}: expected an integer of at least 1.'
    )
    (folder / ".env").write_text("NIGHTSHIFT_WINDOWW=x\n")
    assert message(None) == (
        f"Unknown setting NIGHTSHIFT_WINDOWW in {folder / '.env'}: did you mean NIGHTSHIFT_WINDOW?"
    )


def test_pinned_settings_outlive_a_change_of_the_file(folder: Path) -> None:
    (folder / ".env").write_text("NIGHTSHIFT_MAX_PAGES=7\nNIGHTSHIFT_MASK=false\nOTHER_X=1\n")
    os.environ["NIGHTSHIFT_MASK"] = "true"
    environment.pin()
    (folder / ".env").write_text("NIGHTSHIFT_MAX_PAGES=8\nnot a line\n")
    assert (Settings.from_env().max_pages, Settings.from_env().mask) == (7, "true")
    assert "OTHER_X" not in os.environ


def test_a_worker_pins_its_settings_when_it_starts(folder: Path) -> None:
    import tasks.app  # noqa: F401

    (folder / ".env").write_text("NIGHTSHIFT_MAX_PAGES=7\n")
    celeryd_init.send(sender="worker@host")
    assert os.environ["NIGHTSHIFT_MAX_PAGES"] == "7"


def test_without_a_file_python_dotenv_is_not_imported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in sys.modules if n.partition(".")[0] == "dotenv"]:
        monkeypatch.delitem(sys.modules, name)
    Settings.from_env()
    assert "dotenv" not in sys.modules
    (folder / ".env").write_text("A=1\n")
    Settings.from_env()
    assert "dotenv" in sys.modules


SECRETS = {
    "broker_url": "amqp://u:hush@h",
    "callback_secret": "hush",
    "flower_password": "hush",
    "report_url": "https://example.org/?token=hush",
}


def test_no_secret_in_a_repr() -> None:
    settings = Settings.from_env({}, **SECRETS)
    assert "hush" not in repr(settings) + str(settings)
    assert "max_pages=2000" in repr(settings)
    assert pickle.loads(pickle.dumps(settings)) == settings


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("callback_secret", "hush", "(set)"),
        ("callback_secret", "", ""),
        ("flower_password", "http://hush:hush@h", "(set)"),
        ("broker_url", "amqp://u:hush@h:5672/night", "amqp://u:***@h:5672/night"),
        ("broker_url", "amqp://:hush@h//", "amqp://:***@h//"),
        ("broker_url", "amqp://u:hu/s:h@hush@h//", "amqp://u:***@h//"),
        ("broker_url", "amqp://u:hush@a;amqps://v:hush@b", "amqp://u:***@a;amqps://v:***@b"),
        ("broker_url", "amqp://u:hu;sh@h", "amqp://u:***@h"),
        ("broker_url", "u:hush@h", "(set)"),
        ("broker_url", "amqp://h:5672//", "amqp://h:5672//"),
        ("s3_endpoint", "https://u:hush@h", "https://u:***@h"),
        ("window", "22:00-06:00", "22:00-06:00"),
        ("mask", "ids", "ids"),
        ("ocr_model_dir", None, ""),
        ("max_pages", 7, "7"),
        ("store_url", "out\x1b[2J", r"out\x1b[2J"),
    ],
)
def test_values_are_shown_without_secrets(name: str, value: object, text: str) -> None:
    assert shown(name, value) == text


def test_what_changes_results_changes_the_digest() -> None:
    plain = Settings.from_env({}).digest()
    assert Settings.from_env({"NIGHTSHIFT_RENDER_DPI": "150"}).digest() != plain
    assert Settings.from_env({"NIGHTSHIFT_STORE_URL": "elsewhere"}).digest() == plain
    assert plain == "adb90b30045b0f46"  # results of earlier versions are found by it


def test_documentation_lists_every_setting() -> None:
    assert table() in (Path(ROOT) / "docs" / "reference" / "settings.md").read_text()


@pytest.mark.usefixtures("folder")
def test_celery_does_not_start_with_sources_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = importlib.import_module("tasks.app")  # the package's own name `app` is the application
    monkeypatch.setitem(sys.modules, "celery.bin.celery", sys)
    monkeypatch.setenv("NIGHTSHIFT_ALLOWED_SOURCES", "file:///a file:///b")
    with pytest.raises(SystemExit, match="2"):
        module._check_settings()
    assert "NIGHTSHIFT_ALLOWED_SOURCES" in capsys.readouterr().err


@pytest.mark.parametrize(
    "url",
    ["smtps://night:hush@", "http://night%40a.example:hush@h", "smtp://h", "smtp://night:hush@h",
     "smtp://night%40a.example@h", "smtps://night%40a.example:hush@h:port", "smtp://h?from=a b@h"],
)  # fmt: skip
def test_a_mail_server_is_refused_without_a_piece_of_it(url: str) -> None:
    said = message({"NIGHTSHIFT_SMTP_URL": url})
    assert said.startswith("Invalid setting NIGHTSHIFT_SMTP_URL: expected smtps://user:password@host:465")
    assert "hush" not in said
    assert "hush" not in shown("smtp_url", url)


def test_a_mail_server_is_read() -> None:
    found = mail.server("smtps://night%40example.org:hush%3A@mail.example.org")
    assert found == ("mail.example.org", 465, True, "night@example.org", "hush:", "night@example.org")
    assert "hush" not in repr(found)
    assert mail.server("smtp://localhost?from=a@example.org").port == 587
    assert mail.addresses("a@example.org, b@example.org") == ("a@example.org", "b@example.org")


def test_addresses_are_not_shown() -> None:
    said = message({"NIGHTSHIFT_REPORT_MAIL": "anna at example.org"})
    assert said == (
        "Invalid setting NIGHTSHIFT_REPORT_MAIL: expected addresses separated by commas, such as ops@example.org."
    )
    assert shown("report_mail", "anna@example.org") == "(set)"


def test_the_price_of_an_hour() -> None:
    assert device_price.parse("2.10 usd") == (2.1, "USD")
    assert device_price.parse("3") == (3.0, "")
    assert device_price.parse("") == (None, "")


def test_where_tls_is_required_reports_are_not_posted_without() -> None:
    said = message({"NIGHTSHIFT_REQUIRE_TLS": "true", "NIGHTSHIFT_REPORT_URL": "http://a.example/x"})
    assert said.startswith("Invalid setting NIGHTSHIFT_REPORT_URL")


def test_devices_are_named_once_each() -> None:
    def names(text: str) -> tuple[str, ...]:
        return Settings.from_env({"NIGHTSHIFT_DEVICES": text}).device_names

    assert [names(text) for text in ("", "cpu", "gpu:0", "gpu:1, gpu:0")] == [
        (),
        ("cpu",),
        ("gpu:0",),
        ("gpu:1", "gpu:0"),
    ]
    for text in ("gpu", "gpu:", "gpu:00", "gpu:0,gpu:0", "cpu,gpu:0", "cuda:0", "gpu:0,", "GPU:0"):
        with pytest.raises(UsageError) as raised:
            names(text)
        assert str(raised.value) == (
            f'Invalid setting NIGHTSHIFT_DEVICES="{text}": expected cpu, or GPUs with their numbers, each once, such '
            "as gpu:0 or gpu:0,gpu:1."
        )


def test_a_device_needs_more_documents_in_progress_than_there_are_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for cores, alone, shared in ((1, 1, 4), (2, 2, 4), (16, 16, 32)):
        monkeypatch.setattr("os.sched_getaffinity", lambda _, cores=cores: set(range(cores)))
        assert Settings().process_count == alone
        assert Settings(devices="gpu:0").process_count == shared
        assert (
            Settings(devices="gpu:0", processes=7).process_count == Settings(processes=7).process_count == 7
        )


def test_processes_without_models_of_a_gpu_need_no_more_memory() -> None:
    assert Settings(ocr_device="gpu").memory_limit == 3 * Settings().memory_limit
    assert Settings(ocr_device="gpu", devices="gpu:0").memory_limit == Settings().memory_limit
    assert Settings(ner_device="gpu", devices="gpu:0").memory_limit == 3 * Settings().memory_limit

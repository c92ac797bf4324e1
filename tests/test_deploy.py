"""The container files and the table of settings, held against what they call."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from clv_core.commands.parser import COMMANDS, build_parser
from clv_core.environment import ServiceSettings, table
from clv_core.errors import UsageError
from clv_core.i18n import LANGUAGES

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
DOCUMENT = "\n".join(
    (ROOT / "assets" / "docs" / name).read_text(encoding="utf-8") for name in ("deploy.md", "schedule.md", "service.md")
)
ELSEWHERE = {"monitor"}
"""Commands that a build may be without."""


def instructions(name: str) -> list[str]:
    joined = re.sub(r"\\\n", " ", DOCKERFILE)
    return [line.split(None, 1)[1] for line in joined.splitlines() if line.startswith(f"{name} ")]


def calls() -> list[list[str]]:
    """Return the words after ``python -m clv_core`` of every call in the container files and the document."""
    texts = [" ".join(map(str, one["command"])) for one in COMPOSE["services"].values() if "command" in one]
    found = [call for text in [*texts, DOCUMENT] for call in re.findall(r"python -m clv_core ([^#|`;>\n]*)", text)]
    filled = [call.replace("$$retrain", "--retrain --every 7").replace("$$", "") for call in found]
    return [shlex.split(call.replace("|| echo", "")) for call in filled]


def test_tested_versions_are_within_the_ranges_and_pytorch_has_a_ceiling_alone() -> None:
    lines = (ROOT / "assets" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    tested = {canonicalize_name(one.name): one for one in map(Requirement, (line for line in lines if line[0] != "#"))}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ranges = [line for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    extras = project["optional-dependencies"]
    wanted = {canonicalize_name(one.name): one for one in map(Requirement, [*ranges, *extras["dev"], *extras["docs"]])}
    assert str(tested.pop("torch").specifier).startswith("<")
    outside = [
        name
        for name, one in wanted.items()
        if name != "torch" and (name not in tested or not one.specifier.contains(str(tested[name].specifier)[2:]))
    ]
    assert outside == [] and all(re.fullmatch(r"==[\w.]+", str(one.specifier)) for one in tested.values())
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    installs = [line for line in (makefile + DOCKERFILE).splitlines() if "pip install" in line]
    installs = [line for line in installs if "torch" not in line and "moto" not in line]  # which ask for others
    assert len(installs) == 4 and all("--constraint" in line for line in installs)


def test_the_package_names_the_languages_and_the_python_that_it_has() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    families = [one.split(" :: ") for one in project["classifiers"]]
    assert [one[1] for one in families if one[0] == "Natural Language"] == ["English", "Chinese (Simplified)"]
    assert set(LANGUAGES) == {"en", "zh"} and project["authors"] and project["keywords"]
    versions = [one[2] for one in families if one[0] == "Programming Language" and re.fullmatch(r"3\.\d+", one[-1])]
    lowest = min(versions, key=lambda version: int(version.partition(".")[2]))
    assert project["requires-python"] == f">={lowest}" and f"FROM python:{versions[-1]}-" in DOCKERFILE
    assert ["Typing", "Typed"] in families and (ROOT / "clv_core" / "py.typed").is_file()


def test_every_command_that_is_called_exists_and_is_understood() -> None:
    found = calls()
    assert {words[0] for words in found} >= {"serve", "keys", "monitor"}
    for words in found:
        if words[0] in COMMANDS or words[0] not in ELSEWHERE:
            assert build_parser().parse_args(words).command == words[0]


def test_the_image_runs_as_no_root_checks_itself_and_keeps_everything_in_one_volume() -> None:
    user, (volume,) = instructions("USER"), instructions("VOLUME")
    assert user == ["clv"] and "useradd --uid" in DOCKERFILE and instructions("HEALTHCHECK")
    assert f"CLV_WORKSPACE={volume}/workspace" in DOCKERFILE
    (command,) = instructions("CMD")
    words = json.loads(command)
    assert words[:3] == ["python", "-m", "pages.ui"] and (ROOT / "pages" / "ui" / "__main__.py").is_file()
    assert list(COMPOSE["volumes"]) == ["data"]


def test_everything_that_is_copied_exists_and_passes_the_ignore_file() -> None:
    passed = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").split() if line[0] == "!"}
    copied = {line.split()[0] for line in instructions("COPY")}
    assert copied == passed and all((ROOT / name).exists() for name in copied)
    assert {"app.py", "pages", "clv_core", "assets", ".streamlit/config.toml"} <= copied


def test_what_is_secret_is_neither_in_the_image_nor_in_git_and_the_app_reads_it_from_beside_its_settings() -> None:
    secret = {".streamlit/secrets.toml", ".streamlit/access.toml", "workspace.key", ".env"}
    copied = {line.split()[0] for line in instructions("COPY")}
    assert not [one for one in secret for name in copied if one == name or one.startswith(f"{name}/")]
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert secret <= {line.lstrip("/") for line in ignored}
    assert "./.streamlit:/app/.streamlit:ro" in COMPOSE["services"]["app"]["volumes"]


def test_services_share_the_volume_run_without_rights_and_are_bound_to_this_machine() -> None:
    assert set(COMPOSE["services"]) == {"app", "api", "monitor", "schedules"}
    for service in COMPOSE["services"].values():
        assert "data:/data" in service["volumes"] and service["cap_drop"] == ["ALL"] and service["read_only"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert "/readyz" in " ".join(COMPOSE["services"]["api"]["healthcheck"]["test"])


def test_services_end_when_they_are_told_to_and_their_user_has_a_home_to_write_to_with_any_engine() -> None:
    user = instructions("USER")[0]
    for service in COMPOSE["services"].values():
        assert service["init"] is True  # else the monitor's shell is process 1, which ignores SIGTERM
        assert service["tmpfs"] == [f"/home/{user}:mode=1777"]


def test_what_is_spilled_goes_to_the_disk() -> None:
    for service in COMPOSE["services"].values():
        in_memory = [one.partition(":")[0] for one in service["tmpfs"]]
        assert "/tmp" in service["volumes"] and "/tmp" not in in_memory


def test_every_variable_is_declared_and_read_in_one_place() -> None:
    sources = [*(ROOT / "clv_core").rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "compose.yaml"]
    texts = {path: path.read_text(encoding="utf-8") for path in sources}
    mentioned = {name for text in texts.values() for name in re.findall(r"\bCLV_[A-Z_]*[A-Z]\b", text)}
    assert mentioned <= set(re.findall(r"`(CLV_[A-Z_]+)` \|", table()))
    readers = [path.stem for path, text in texts.items() if re.search(r"(environ\.get|getenv|environ\[)\W+CLV_", text)]
    assert readers == []


def test_every_variable_of_the_table_reaches_every_service_from_the_file_of_values() -> None:
    for service in COMPOSE["services"].values():
        assert service["env_file"] == [{"path": ".env", "required": False}]
        for name, value in service.get("environment", {}).items():
            assert value.startswith(f"${{{name}:-"), f"{name} is what .env says, or its default"


def test_settings_come_from_the_environment_and_go_back_to_it() -> None:
    made = ServiceSettings.from_environment({"CLV_API_PORT": "9000", "CLV_API_OPEN": "true", "CLV_API_NAME": ""})
    assert (made.port, made.open, made.name) == (9000, True, "")
    assert ServiceSettings.from_environment(made.to_environment()) == made
    for word, open_ in (("on", True), ("OFF", False), ("Yes", True), ("0", False)):
        assert ServiceSettings.from_environment({"CLV_API_OPEN": word}).open is open_
    with pytest.raises(UsageError, match="on, 1"):
        ServiceSettings.from_environment({"CLV_API_OPEN": "maybe"})
    with pytest.raises(UsageError, match="port"):
        ServiceSettings.from_environment({"CLV_API_PORT": "70000"})
    with pytest.raises(UsageError, match="workers"):
        ServiceSettings.from_environment({"CLV_API_WORKERS": "many"})
    with pytest.raises(UsageError) as caught:
        ServiceSettings.from_environment({"CLV_API_MAX_CUSTOMERS": "5000", "CLV_API_MAX_WAITING": "1000"})
    assert caught.value.code == "service_waiting" and "CLV_API_MAX_WAITING" in caught.value.message("zh")

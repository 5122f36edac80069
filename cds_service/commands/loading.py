"""What the commands share: settings and knowledge, with their errors in one line and an exit code of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.library import Knowledge, load
from cds_service.settings import Settings, SettingsError, load_settings
from cds_service.web.descriptors import DescriptorsError, read_descriptors

T = TypeVar("T")


class OneLineError(click.ClickException):
    """An error that ends the command; its message is put on one line."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class DemoError(OneLineError):
    """The service of the demo could not be started or reached."""

    exit_code = 1


class InputError(OneLineError):
    """Input that cannot be read, or a name there is not."""

    exit_code = 2


class UnusableError(OneLineError):
    """Settings or knowledge that cannot be used."""

    exit_code = 3


def read_settings(**overrides: Any) -> Settings:
    """Return the settings of the environment; `overrides` that are not None win. Raises `UnusableError`."""
    return usable(lambda: load_settings(**overrides))


def read_knowledge(settings: Settings) -> Knowledge:
    """Return the knowledge, with the site's own over it. Raises `UnusableError`."""
    return usable(lambda: load(settings.knowledge_dir))


def licensed_descriptors(settings: Settings) -> Mapping[str, str]:
    """Return the site's licensed descriptors by code. Raises `UnusableError`."""
    return usable(lambda: read_descriptors(settings.cpt_descriptors))


def usable(read: Callable[[], T]) -> T:
    """Return what `read` returns, its errors said in one line. Raises `UnusableError`."""
    try:
        return read()
    except (SettingsError, KnowledgeError, DescriptorsError) as error:
        raise UnusableError(str(error)) from None

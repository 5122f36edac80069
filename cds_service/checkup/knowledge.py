"""The knowledge: whether it loads with the site's folder over it, and whether its tables cover today."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from cds_service.checkup.check import Check, absent, fails, works
from cds_service.knowledge.diagnoses import edition, lookup
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.status import Kind, Status, status
from cds_service.settings import Settings
from cds_service.web.descriptors import DescriptorsError, read_descriptors

KIND: Final = "knowledge"
ICD: Final = "ICD-10-CM"


def check_knowledge(settings: Settings, today: date) -> Iterator[Check]:
    """Yield whether the knowledge loads, what of it is the site's, and the days of each kind of table."""
    try:
        found = status(settings.knowledge_dir, today)
    except (KnowledgeError, OSError) as error:
        yield fails(KIND, "loading", str(error), "correct the file that is named; until then serve refuses to start")
    else:
        yield works(KIND, "loading", f"version {found.version} loads")
        yield _overlay(found)
        yield from (_table(kind, today) for kind in found.kinds)
    yield _descriptors(settings)


def check_diagnoses(today: date) -> Iterator[Check]:
    """Yield whether the codes of ICD-10-CM can be read, and whether their release is that of today."""
    try:
        release = edition()
        lookup("R07.9")  # reads the whole table, whether it has this code or not
    except (KnowledgeError, OSError, UnicodeDecodeError) as error:
        yield fails(KIND, ICD, str(error), "install the package simple-icd-10-cm anew: no diagnosis can be looked up")
        return
    said = f"release {release.label} can be read, for {release.valid_from} to {release.valid_to}"
    if release.covers(today):
        yield works(KIND, ICD, said)
    else:
        yield works(KIND, ICD, f"{said}: not for today, {today}", "update the package simple-icd-10-cm when it has one")


def _overlay(found: Status) -> Check:
    if found.folder is None:
        return absent(KIND, "site's folder", "none: the knowledge is as shipped (CDS_KNOWLEDGE_DIR)")
    entries = sum(len(document.from_site) for document in found.documents)
    tables = sum(edition.from_site for kind in found.kinds for edition in kind.editions)
    said = f"{found.folder} is laid over what is shipped: entries {entries}, tables {tables}"
    if entries + tables:
        return works(KIND, "site's folder", said)
    return works(KIND, "site's folder", said, "nothing in it is used: check that this is the folder that is meant")


def _table(kind: Kind, today: date) -> Check:
    importing = f"cds-service knowledge import FILE --kind {kind.kind} --quarter {_quarter(today)}"
    if kind.used is None:
        return fails(KIND, kind.kind, f"{kind.title}: none is loaded", importing)
    days = f"{kind.title} {kind.used.edition}: {kind.used.valid_from} to {kind.used.valid_to}"
    if kind.covers_today:
        return works(KIND, kind.kind, days)
    return works(KIND, kind.kind, f"{days}, used although today, {today}, is outside (cards' notChecked)", importing)


def _descriptors(settings: Settings) -> Check:
    subject = "descriptors"
    if settings.cpt_descriptors is None:
        return absent(KIND, subject, "no licensed CPT descriptors: our own words are shown (CDS_CPT_DESCRIPTORS)")
    try:
        count = len(read_descriptors(settings.cpt_descriptors))
    except DescriptorsError as error:
        return fails(KIND, subject, str(error), "correct the file; until then serve refuses to start")
    return works(KIND, subject, f"{settings.cpt_descriptors} has {count}")


def _quarter(day: date) -> str:
    return f"{day.year}Q{(day.month + 2) // 3}"

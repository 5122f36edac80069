"""Which paravertebral blocks may have been of the sympathetic chain: the words for the two are close."""

from __future__ import annotations

from cds_service.chart.model import Block, Technique
from cds_service.knowledge.model import Family
from cds_service.review.case import Case
from cds_service.review.selection import family_of


def chain_instead(case: Case, block: Block) -> tuple[Family, ...]:
    """Return the sympathetic families a coded paravertebral block may be of as well, empty where it is settled.

    Beside the thoracic spine the words mean the paravertebral space. Only where the code of the chain of that region is
    reported instead, and the record names neither the space as what was aimed at nor a purpose that would tell, they
    settle nothing.
    """
    told = block.target is not None or block.purpose is not None or bool(case.operations)
    own = family_of(block, case.view)
    if block.technique is not Technique.PARAVERTEBRAL or told or own is None or block.region is None:
        return ()
    reported = {code.family for name in case.reported_codes if (code := case.view.code(name))}
    chains = case.view.families_for(Technique.SYMPATHETIC.value, block.region)
    return () if own.id in reported else tuple(chain for chain in chains if chain.id in reported)


def is_settled(case: Case, block: Block) -> bool:
    """Return whether the record tells what the needle of `block` was aimed at, as far as that decides its code."""
    return not chain_instead(case, block)

"""Candidates whose library cannot be loaded here are skipped, and their tests say why."""

import pytest
from mlops.core.libraries import LibraryError
from mlops.model.trial_runner import Plan, make_model


def lack(candidate):
    """What keeps a candidate from being made here; "" if nothing does."""
    try:
        make_model(Plan(candidate, candidate.defaults), "binary")
    except LibraryError as error:
        return str(error)
    return ""


def each(candidates):
    """The candidates as parameters of a test."""
    return [
        pytest.param(
            candidate,
            id=candidate.name,
            marks=pytest.mark.skipif(bool(lack(candidate)), reason=lack(candidate)),
        )
        for candidate in candidates
    ]

"""Who a person is, who may enter, and who may change what."""

from __future__ import annotations

import re

import pytest

from cnnkit.errors import NotAllowedError
from cnnkit.people import LOCAL, Person, check_owner, person_of
from cnnkit.settings import Settings

ANN = {
    "iss": "https://login.school.example",
    "sub": "4711",
    "name": "Ann Example",
    "email": "Ann@School.Example",
    "email_verified": True,
}


def test_a_person_is_known_by_issuer_and_subject_alone(own_home):
    before, after = (
        person_of(ANN, _settings()),
        person_of(ANN | {"name": "Ann Married"}, _settings()),
    )
    assert re.fullmatch(r"[0-9a-f]{16}", before.id) and after.id == before.id
    others = ANN | {"sub": "4712"}, ANN | {"iss": "https://elsewhere.example"}
    assert before.id not in {person_of(one, _settings()).id for one in others}


@pytest.mark.parametrize(
    "claims, name",
    (
        ({}, "Ann Example"),
        ({"name": ""}, "ann@school.example"),
        ({"name": None, "preferred_username": "ann"}, "ann"),
        ({"name": None, "email": None}, "Person "),
    ),
)
def test_a_person_has_some_name(claims, name):
    assert person_of(ANN | claims, _settings()).name.startswith(name)


@pytest.mark.parametrize("missing", ("iss", "sub"))
def test_a_token_that_identifies_nobody_is_refused(missing):
    with pytest.raises(NotAllowedError, match="did not say who you are"):
        person_of({name: value for name, value in ANN.items() if name != missing}, _settings())


@pytest.mark.parametrize(
    "verified, admin", ((True, True), ("true", True), (False, False), (None, False))
)
def test_an_e_mail_address_makes_an_administrator_only_if_it_is_verified(verified, admin):
    settings = _settings(CNNKIT_ADMINS="ann@school.example, bob@school.example")
    assert person_of(ANN | {"email_verified": verified}, settings).admin is admin


def test_an_id_makes_an_administrator():
    person = person_of(ANN | {"email_verified": False}, _settings())
    assert not person.admin
    assert person_of(ANN | {"email_verified": False}, _settings(CNNKIT_ADMINS=person.id)).admin


def test_a_domain_lets_its_people_in_and_nobody_else():
    settings = _settings(CNNKIT_MEMBERS="@school.example")
    assert person_of(ANN, settings)
    for claims in (
        {"email": "ann@evil.example"},
        {"email_verified": False},
        {"email": "school.example"},
    ):
        with pytest.raises(NotAllowedError, match="may not use this server"):
            person_of(ANN | claims, settings)


def test_a_domain_does_not_make_administrators_unless_it_is_named_as_one():
    assert not person_of(ANN, _settings(CNNKIT_MEMBERS="@school.example")).admin


def test_only_the_owner_and_administrators_may_change_something():
    ann, bob = Person("a", "Ann"), Person("b", "Bob")
    for person in (ann, LOCAL, Person("c", "Cy", admin=True)):
        check_owner(person, "a", "Run 'x'")
    for owner in ("a", ""):
        with pytest.raises(NotAllowedError, match="Run 'x' belongs to somebody else"):
            check_owner(bob, owner, "Run 'x'")


def _settings(**environment: str) -> Settings:
    return Settings.from_environment(environment)

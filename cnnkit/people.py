"""Who uses cnnkit, and who may change what.

Without a login there is one local person, who may do everything; so it is on the command line.
With one, what a person made is that person's: others may see and use it, and only its owner
or an administrator may change or delete it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnnkit.errors import NotAllowedError
from cnnkit.settings import Settings

ID_LENGTH = 16  # hexadecimal digits of a person's id


@dataclass(frozen=True)
class Person:
    """Somebody who uses cnnkit.

    Args:
        id: stable, and the owner of what the person makes; "": the local person.
        name: for people.
        admin: may change and delete what others made.
    """

    id: str
    name: str
    admin: bool = False

    def may_change(self, owner: str) -> bool:
        """Whether the person may change or delete what belongs to an owner (an id)."""
        return self.admin or self.id == owner


LOCAL = Person("", "", admin=True)


def check_owner(person: Person, owner: str, what: str) -> None:
    """Refuse to change what belongs to somebody else.

    Args:
        person: who asks.
        owner: id of the owner.
        what: is to be changed, as the beginning of a sentence, such as "Run 'LeNet'".

    Raises:
        NotAllowedError: the person is neither the owner nor an administrator.
    """
    if not person.may_change(owner):
        raise NotAllowedError(
            f"{what} belongs to somebody else. You can see and use it; only its owner or an "
            "administrator can change or delete it."
        )


def person_of(claims: Mapping[str, Any], settings: Settings) -> Person:
    """The person whom an identity provider has logged in.

    An e-mail address gives no right unless the provider has verified it: at many providers
    anybody can enter any address.

    Args:
        claims: of the OpenID Connect identity token: "iss", "sub", "name", "email", ….
        settings: who is an administrator, and who may enter.

    Raises:
        NotAllowedError: the settings name who may enter, and the person is not among them; or
            the token identifies nobody.
    """
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not issuer or not subject:
        raise NotAllowedError(
            "The identity provider did not say who you are: its identity token needs the claims "
            "`iss` and `sub`."
        )
    number = hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()[:ID_LENGTH]
    email = str(claims.get("email") or "").casefold()
    known = {number} | ({email, f"@{email.rpartition('@')[2]}"} if _verified(claims) else set())
    admin = not known.isdisjoint(settings.admins)
    if settings.members and not admin and known.isdisjoint(settings.members):
        raise NotAllowedError(
            f"You are logged in as {email or number}, who may not use this server. Log in with "
            f"another account, or ask whoever runs it to add you. Your id is {number}."
        )
    names = (claims.get("name"), claims.get("preferred_username"), email, f"Person {number[:6]}")
    return Person(number, next(str(name) for name in names if name), admin)


def _verified(claims: Mapping[str, Any]) -> bool:
    # Some providers write booleans as text.
    return str(claims.get("email_verified")).casefold() == "true" and "@" in str(
        claims.get("email")
    )
